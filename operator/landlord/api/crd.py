"""Generates the CustomResourceDefinition from the pydantic models. Pure.

A structural schema is JSON Schema with restrictions that pydantic's output does not meet:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
No library does this with CEL rules and list-map keys for plain pydantic models, hence this module.
"""

from typing import Any

from landlord.api import names
from landlord.api.schema import JsonObject
from landlord.api.status import TenantStatus
from landlord.api.tenant import TenantSpec

NAME_RULE = {
    "rule": "has(self.spec.tenantID) || "
    f"(self.metadata.name.size() <= {names.MAX_TENANT_ID} && !self.metadata.name.contains('.'))",
    "message": f"metadata.name is the tenantID here, so it must have at most {names.MAX_TENANT_ID} "
    "characters and no dot: choose a shorter name or set spec.tenantID",
}

PROVIDER_RULE = {
    "rule": "!has(oldSelf.status) || !has(oldSelf.status.provider) || !has(self.spec.compute) || "
    "!has(self.spec.compute.provider) || self.spec.compute.provider == oldSelf.status.provider",
    "message": "compute.provider must equal status.provider, where this Tenant already runs: "
    "create a new Tenant instead",
}


def tenant_crd() -> JsonObject:
    """Return the CRD, ready to be written as YAML."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.CRD_NAME},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.KIND.lower(),
                "shortNames": [names.SHORT_NAME],
                "categories": [names.CATEGORY],
            },
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": printer_columns(),
                    "schema": {"openAPIV3Schema": root_schema()},
                }
            ],
        },
    }


def root_schema() -> JsonObject:
    """Return the structural schema of a whole Tenant."""
    return {
        "type": "object",
        "description": "One tenant of a SaaS platform. landlord provisions it and keeps it running.",
        "required": ["spec"],
        "x-kubernetes-validations": [NAME_RULE, PROVIDER_RULE],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(TenantSpec.model_json_schema()),
            "status": structural(TenantStatus.model_json_schema()),
        },
    }


def printer_columns() -> list[JsonObject]:
    """Return the columns of `kubectl get tenants`; those with priority 1 are for -o wide."""

    def condition(kind: str, field: str = "status") -> str:
        return f'.status.conditions[?(@.type=="{kind}")].{field}'

    columns = [
        ("Ready", "string", condition("Ready"), 0),
        ("Phase", "string", ".status.phase", 0),
        ("Backend", "string", ".status.provider", 0),
        ("Registered", "string", condition("WorkflowRegistered"), 0),
        ("Workflow", "string", ".status.workflow.subState", 0),
        ("Endpoint", "string", ".status.endpoints[0].url", 0),
        ("Age", "date", ".metadata.creationTimestamp", 0),
        ("Display name", "string", ".spec.displayName", 1),
        ("Step", "string", ".status.workflow.step", 1),
        ("Invocation", "string", ".status.workflow.invocationID", 1),
        ("Message", "string", condition("Ready", "message"), 1),
    ]
    return [
        {"name": name, "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}
        for name, kind, path, priority in columns
    ]


def structural(schema: JsonObject) -> JsonObject:
    """Convert a pydantic JSON Schema to a structural schema without references.

    Raises ValueError for a construct that a CRD does not support.
    """
    definitions = schema.get("$defs", {})
    return _node({key: value for key, value in schema.items() if key != "$defs"}, definitions)


def _node(node: JsonObject, definitions: JsonObject) -> JsonObject:
    node = _resolve(node, definitions)
    result: JsonObject = {}
    for key, value in node.items():
        match key:
            case "title":
                continue
            case "description":
                result[key] = " ".join(value.split())
            case "properties":
                result[key] = {name: _node(child, definitions) for name, child in value.items()}
            case "additionalProperties" if value is True:
                result["x-kubernetes-preserve-unknown-fields"] = True
            case "items" | "additionalProperties":
                result[key] = _node(value, definitions)
            case "const":
                result["enum"] = [value]
            case "default":
                if _is_worth_storing(value):
                    result[key] = value
            case "patternProperties" | "prefixItems" | "uniqueItems" | "oneOf" | "allOf" | "not":
                raise ValueError(f"a CRD schema does not support {key}: {node}")
            case _:
                result[key] = value
    if result.get("x-kubernetes-int-or-string"):
        # Next to it the API server allows only rules, and those already bound the length of a string.
        return {key: result[key] for key in result if key not in ("type", "maxLength")}
    return result


def _is_worth_storing(default: Any) -> bool:
    """Return whether the default is not empty: the API server writes every default into every object."""
    return default is not None and default not in ("", [], {}) and not isinstance(default, dict)


def _resolve(node: JsonObject, definitions: JsonObject) -> JsonObject:
    """Replace `$ref` by its target and `anyOf [X, null]` by X. Sibling keys override those of the target."""
    if "$ref" in node:
        target = definitions[node["$ref"].removeprefix("#/$defs/")]
        return _resolve({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)
    if "anyOf" not in node:
        return node
    siblings = {key: value for key, value in node.items() if key != "anyOf"}
    options = [option for option in node["anyOf"] if option.get("type") != "null"]
    if {option.get("type") for option in options} == {"integer", "string"}:
        return {**siblings, "x-kubernetes-int-or-string": True}
    if len(options) != 1:
        raise ValueError(f"a CRD schema does not support this union: {node}")
    return _resolve({**options[0], **siblings}, definitions)
