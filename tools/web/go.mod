// The web server that stands in for a tenant's workload in the demo, the examples and the tests.
module landlord.dev/tools/web

go 1.26.0
