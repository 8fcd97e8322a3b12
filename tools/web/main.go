// Command web answers GET / with what it was given, so that a person or a test can see which tenant answered.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-stop // as process 1 of a container it would otherwise outlive SIGTERM until it is killed
		os.Exit(0)
	}()

	if seconds, err := strconv.ParseFloat(os.Getenv("START_DELAY"), 64); err == nil {
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	}
	http.HandleFunc("/", answer)
	if admin := os.Getenv("ADMIN_PORT"); admin != "" {
		go serve(admin)
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	serve(port)
}

func serve(port string) {
	log.Printf("listening on %s", port)
	log.Fatal(http.ListenAndServe(":"+port, nil))
}

func answer(w http.ResponseWriter, _ *http.Request) {
	if os.Getenv("FAIL") == "1" {
		http.Error(w, "told to fail by FAIL=1", http.StatusInternalServerError)
		return
	}
	hostname, err := os.Hostname()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	body := map[string]string{"greeting": os.Getenv("GREETING"), "tenant": os.Getenv("TENANT"), "hostname": hostname}
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
