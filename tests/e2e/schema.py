# SPDX-License-Identifier: Apache-2.0
"""Checks a YAML manifest against manifests/schema: the keywords of JSON Schema 2020-12 that our schemas use, and no
others (an unknown keyword is an error, so a schema cannot say more than is checked).

usage: schema.py SCHEMA MANIFEST...        a line `MANIFEST: valid`, or with the first violation, for each
"""
import json
import re
import sys

import yaml

TYPES = {"object": dict, "array": list, "string": str, "integer": int}
IGNORED = {"$schema", "$id", "$defs", "title", "description", "contentEncoding"}


class Invalid(Exception):
    pass


def valid(root, schema, value, where):
    try:
        check(root, schema, value, where)
        return True
    except Invalid:
        return False


def check(root, schema, value, where):
    def need(good, why):
        if not good:
            raise Invalid(f"{where or '/'}: {why}")
    if isinstance(schema, bool):
        return need(schema, "not allowed")
    for word, wanted in schema.items():
        if word in IGNORED or word in ("properties", "maximum"):
            continue
        if word == "$ref":
            check(root, root["$defs"][wanted.rpartition("/")[2]], value, where)
        elif word == "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            need(any(isinstance(value, TYPES[n]) and not isinstance(value, bool) for n in names), f"is no {wanted}")
        elif word == "const":
            need(value == wanted, f"is not {wanted!r}")
        elif word == "enum":
            need(value in wanted, f"is none of {wanted}")
        elif word == "pattern":
            need(not isinstance(value, str) or re.search(wanted, value), f"does not match {wanted}")
        elif word in ("minLength", "maxLength"):
            size = len(value) if isinstance(value, str) else None
            need(size is None or (size >= wanted if word == "minLength" else size <= wanted), word)
        elif word == "minimum":
            need(not isinstance(value, int) or wanted <= value <= schema.get("maximum", value), "is out of bounds")
        elif word == "required":
            need(all(k in value for k in wanted), f"lacks one of {wanted}")
        elif word == "additionalProperties":
            need(set(value) <= set(schema["properties"]), f"unknown {sorted(set(value) - set(schema['properties']))}")
        elif word == "items":
            for i, item in enumerate(value if isinstance(value, list) else []):
                check(root, wanted, item, f"{where}/{i}")
        elif word in ("oneOf", "anyOf"):
            count = sum(valid(root, s, value, where) for s in wanted)
            need(count == 1 if word == "oneOf" else count >= 1, f"{count} of {word} hold")
        else:
            raise SystemExit(f"the schema uses {word}, which this check does not know")
    for key, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and key in value:
            check(root, inner, value[key], f"{where}/{key}")


def verdict(document, name):
    # Every scalar but a number in plain decimal is a string, as for the reader of `uni`.
    loader = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": {}})
    loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(0|[1-9][0-9]*)$"), list("0123456789"))
    with open(name, encoding="utf-8") as file:
        text = file.read().replace("!!binary ", "")
    try:
        check(document, document, yaml.load(text, loader), "")
        return "valid"
    except Invalid as why:
        return str(why)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as opened:
        schema = json.load(opened)
    for manifest in sys.argv[2:]:
        print(f"{manifest}: {verdict(schema, manifest)}")
