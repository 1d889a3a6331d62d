"""What Schemathesis needs beyond openapi/ideogram.yaml to send useful requests to the mock server.

`close` makes the document as strict as the mock server, which refuses unknown properties. `before_call` edits requests
that the document allows and that the service refuses because of a rule that a schema cannot express; each such rule has
a function of its own. Negative tests are never edited, so every check stays on.
"""

import atexit
import copy
import json
import os
import struct
import zlib
from datetime import datetime, timedelta, timezone

import requests
import schemathesis
from hypothesis import strategies
from schemathesis.transport.requests import REQUESTS_TRANSPORT

SIDE = 32


def png() -> bytes:
    """A gray image. All have one size, since a mask must have the size of its image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * SIDE for _ in range(SIDE)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# One phase cannot handle bytes inside a body, so a string is a placeholder for an image until the body is encoded.
schemathesis.openapi.format("binary", strategies.just("image"))


# The public `schemathesis.serializer` cannot set the boundary.
@REQUESTS_TRANSPORT.serializer("multipart/form-data")
def form(context, body):
    """Encodes a body as the service expects it: plain names, arrays as repeated parts, objects as JSON, images as files."""
    if not isinstance(body, dict):
        return {"data": json.dumps(body).encode(), "headers": {"Content-Type": "multipart/form-data; boundary=none"}}
    content = context.case.operation.definition.raw["requestBody"]["content"]["multipart/form-data"]
    properties = resolved(content["schema"])["properties"]
    parts = []
    for name, value in body.items():
        schema = resolved(properties.get(name, {}))
        is_array = schema.get("type") == "array"
        for item in value if is_array and isinstance(value, list) else [value]:
            is_file = (schema["items"] if is_array else schema).get("format") == "binary"
            if is_file and isinstance(item, str) and is_array == isinstance(value, list):
                parts.append((name, (f"{name}.png", png(), "image/png")))
            else:
                # Strings unchanged, everything else as JSON, also in place of an image.
                parts.append((name, (None, item if isinstance(item, str) else json.dumps(item))))
    if not parts:
        return {"data": b"--none--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=none"}}
    return {"files": parts}


DOCUMENT: dict = {}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    DOCUMENT.update(raw_schema)
    for _, operation in operations():
        quote = operation.get("x-ideogram-quote")
        if quote:
            # With the parameter of the extension, the response is the price.
            content = operation["responses"]["200"]["content"]["application/json"]
            content["schema"] = {"anyOf": [content["schema"], quote["response"]]}
        contents = operation.get("requestBody", {}).get("content", {})
        if len(contents) == 2:
            contents["application/json"]["schema"] = without_files(contents["application/json"]["schema"])
        for media_type, content in contents.items():
            close(content["schema"])
            if media_type == "multipart/form-data":
                for schema in resolved(content["schema"])["properties"].values():
                    # A form has no null: an optional part is omitted.
                    schema.pop("nullable", None)


def operations():
    for path in DOCUMENT["paths"].values():
        for method, operation in path.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield method, operation


def resolved(schema: dict) -> dict:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def without_files(schema: dict) -> dict:
    """The document has one schema for JSON and forms, and JSON cannot carry files."""
    schema = copy.deepcopy(resolved(schema))
    is_file = lambda value: "binary" in (value.get("format"), value.get("items", {}).get("format"))
    schema["properties"] = {name: value for name, value in schema["properties"].items() if not is_file(value)}
    return schema


def close(schema: dict) -> None:
    """Allows only the properties of the document: the mock server treats others as typing errors."""
    schema = resolved(schema)
    if "properties" in schema:
        schema["additionalProperties"] = False
    inner = [*schema.get("properties", {}).values(), *schema.get("allOf", []), *schema.get("oneOf", [])]
    for schema in [*inner, *([schema["items"]] if "items" in schema else [])]:
        close(schema)


@schemathesis.hook
def filter_case(context, case):
    """In a form every value is text, so a number in place of free text cannot be detected and is not a negative test."""
    if case.media_type != "multipart/form-data" or not isinstance(case.body, dict):
        return True
    content = case.operation.definition.raw["requestBody"]["content"][case.media_type]
    for name, schema in resolved(content["schema"])["properties"].items():
        is_free = schema.get("type") == "string" and not schema.keys() & {"enum", "pattern", "format"}
        if is_free and name in case.body and not isinstance(case.body[name], str):
            return False
    return True


SUCCESSFUL: set = set()


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200:
        SUCCESSFUL.add(case.operation.definition.raw["operationId"])


@atexit.register
def write_unsuccessful():
    """Reports operations without a successful request, for which the absence of findings proves nothing."""
    ids = {operation["operationId"] for _, operation in operations()} if DOCUMENT else {"everything"}
    with open("unsuccessful.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(ids - SUCCESSFUL)))


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta.generation.mode.is_positive:
        return
    for rule in (known_ids, exclusions, known_sources, speeds, models, characters, masks, times, webhooks):
        rule(case)


def properties(case) -> dict:
    """The properties of the request; the legacy operations wrap most of them."""
    body = case.body if isinstance(case.body, dict) else {}
    wrapped = body.get("image_request")
    return wrapped if isinstance(wrapped, dict) else body


def request_schema(case) -> dict:
    body = case.operation.definition.raw.get("requestBody")
    if body is None:
        return {}
    schema = resolved(next(iter(body["content"].values()))["schema"])
    wrapped = schema["properties"].get("image_request")
    return resolved(wrapped) if wrapped else schema


def exclusions(case):
    """Removes properties that exclude each other: two phases ignore `not` and `oneOf` when they generate bodies."""
    body, schema = properties(case), request_schema(case)
    excluded = schema.get("not", {})
    for choice in excluded.get("anyOf", [excluded]):
        names = choice.get("required", [])
        if names and all(name in body for name in names):
            del body[names[-1]]
    for choice in schema.get("oneOf", [])[1:]:
        if schema["oneOf"][0]["required"][0] in body:
            body.pop(choice["required"][0], None)


def speeds(case):
    """`FLASH` is refused by 4.0 and with a transparent background."""
    body = properties(case)
    refuses = "ideogram-v4" in case.path or "transparent" in case.path
    if refuses and body.get("rendering_speed") == "FLASH":
        body["rendering_speed"] = "TURBO"


def models(case):
    """`/edit` works with the 2.0 models only, and a custom model must exist and be trained."""
    body = properties(case)
    if case.path == "/edit" and body.get("model") not in (None, "V_2", "V_2_TURBO"):
        body["model"] = "V_2"
    if "custom_model_uri" in body:
        body["custom_model_uri"] = known(case)["custom_model_uri"]


def characters(case):
    """One character image at present, as many masks as images, and no palette together with it."""
    body = properties(case)
    for name in ("character_reference_images", "character_reference_images_mask"):
        if name in body:
            body[name] = body[name][:1]
    if not body.get("character_reference_images"):
        body.pop("character_reference_images_mask", None)
    else:
        body.pop("color_palette", None)


def masks(case):
    """A mask needs an image, which is optional with 4.5."""
    body = properties(case)
    if "mask" in body and not any(body.get(name) for name in ("image", "image_file", "images")):
        del body["mask"]


def times(case):
    """The pattern of times cannot express which dates exist, nor how many buckets are allowed."""
    for name, days in (("start_time", 3), ("end_time", 1)):
        if name in (case.query or {}):
            moment = datetime.now(timezone.utc) - timedelta(days=days)
            case.query[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def webhooks(case):
    """The mock server delivers webhooks to its own machine only."""
    body = properties(case)
    if "webhook_url" in body:
        body["webhook_url"] = "http://127.0.0.1:9/webhook"


def known_sources(case):
    """`image_urls` takes links of the service only, and a training needs a dataset with enough images."""
    body = properties(case)
    if "image_urls" in body:
        body["image_urls"] = [known(case)["url"] for _ in body["image_urls"]]
    if "dataset_id" in body:
        body["dataset_id"] = known(case)["dataset_id"]


def known_ids(case):
    """Half of the requests name something that exists; the others get 404."""
    for name, value in (case.path_parameters or {}).items():
        if len(str(value)) % 2:
            case.path_parameters[name] = known(case)[name]


KNOWN: dict = {}


def known(case) -> dict:
    """The ids that the mock server starts with, and one of its links."""
    if not KNOWN:
        def call(method, path, **arguments):
            headers = {"Api-Key": os.environ["IDEOGRAM_API_KEY"]}
            response = requests.request(method, case.operation.base_url + path, headers=headers, timeout=10, **arguments)
            response.raise_for_status()
            return response.json()

        model = next(model for model in call("GET", "/models")["models"] if model.get("custom_model_uri"))
        KNOWN.update(model_id=model["model_id"], custom_model_uri=model["custom_model_uri"], dataset_id="demo")
        generation = call("POST", "/v2/image/remove-background/ideogram-1", files={"image": ("gray.png", png())})
        KNOWN.update(url=generation["data"][0]["url"], generation_id=generation["generation_id"])
    return KNOWN
