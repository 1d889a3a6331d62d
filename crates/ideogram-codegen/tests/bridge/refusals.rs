//! Unsupported documents are refused with location, operation and repair.

use ideogram_codegen::{GeneratedClient, Problem, client_methods};

use crate::petshop::PETSHOP;

/// The problems of the pet shop after one change to its text.
#[track_caller]
fn problems(from: &str, to: &str) -> Vec<Problem> {
    assert!(PETSHOP.contains(from), "the document does not contain {from:?}");
    let changed = PETSHOP.replacen(from, to, 1);
    GeneratedClient::read(&changed).err().map(|error| error.problems().to_vec()).unwrap_or_default()
}

#[track_caller]
fn assert_refused(from: &str, to: &str, message: &str) {
    let problems = problems(from, to);
    let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let found = problems.iter().find(|problem| problem.to_string().contains(message));
    let found = found.unwrap_or_else(|| panic!("no problem says {message:?}: {messages:#?}"));

    assert!(found.line().is_some(), "{found}");
    assert!(!found.repair_hint().is_empty(), "{found}");
}

/// The text to replace in the document, its replacement, and the expected problem.
const REFUSED: &[(&str, &str, &str)] = &[
    ("operationId: delete_photo", "operationId: version", "would be `VERSION`, which describes the document"),
    ("- name: X-Trace", "- name: client", "the name `client`, which every builder needs for itself"),
    ("- name: X-Trace", "- name: prepare", "the name `prepare`, which every builder needs for itself"),
    (
        "    Refusal: {",
        "    Default: {type: object, properties: {}}\n    Refusal: {",
        "a name that generated code uses",
    ),
    ("photos/{number}", "photos/{pet_id}", "is in the path twice"),
    ("{$ref: '#/components/schemas/Problem'}", "{$ref: '#/components/schemas/Trouble'}", "Trouble` has no target"),
    (
        "application/json: {schema: {$ref: '#/components/schemas/NewPet'}}",
        "application/json: {schema: {$ref: '#/components/schemas/Old'}}",
        "Old` has no target",
    ),
    ("rope: Rope}", "rope: Rope, bell: Bell}", "does not refer to a kind of the union"),
    (
        "encoding: {toy: {contentType: application/json}}",
        "encoding: {toy: {style: pipeDelimited}}",
        "unsupported keyword `style`",
    ),
    (
        "encoding: {toy: {contentType: application/json}}",
        "encoding: {kind: {contentType: text/plain}}",
        "not a JSON part",
    ),
    (
        "encoding: {toy: {contentType: application/json}}",
        "encoding: {car: {contentType: text/plain}}",
        "not a JSON part",
    ),
    ("deprecated: true", "security: [{Token: []}]", "a security scheme for one operation"),
    ("items: {$ref: '#/components/schemas/Nickname'}", "items: {type: string, nullable: true}", "may hold null"),
    (
        "schema: {type: integer, format: int32, minimum: 1}",
        "schema: {type: integer, nullable: true}",
        "parameter `page` may be null",
    ),
    (
        "required: [type, knots]\n      properties: {type: {type: string}, knots: {type: array, items: {type: integer}}}",
        "required: [type]\n      properties: {type: {type: string}}",
        "no property but the discriminator",
    ),
    ("diameter: {type: integer, minimum: 1}", "diameter: {type: string, format: binary}", "holds a file"),
    ("      not: {anyOf:", "      additionalProperties: {type: string}\n      not: {anyOf:", "parts without a name"),
    ("openapi: 3.0.3", "openapi: 3.1.0", "is not 3.0.x"),
    ("info:\n", "info: 3\nother:\n", "`info` is missing"),
    ("servers:\n  - url: https://petshop.test/api/\n", "", "the document has no server"),
    ("in: header, name: X-Token", "in: cookie, name: X-Token", "only `type: apiKey`"),
    ("operationId: delete_photo", "operationId: listPets", "`listPets` is also the id of `GET /pets` in line 14"),
    ("operationId: delete_photo", "operationId: list_pets", "have the same method name `list_pets`"),
    ("operationId: delete_photo", "summary: none", "`operationId` is missing"),
    ("operationId: delete_photo", "operationId: 7 days", "does not make a method name"),
    ("deprecated: true", "callbacks: {}", "unsupported keyword `callbacks`"),
    ("x-petshop-billing: free", "x-petshop-billing: cheap", "`cheap` is not a value of `x-petshop-billing`"),
    ("x-petshop-images: count", "x-petshop-images: drawing", "not an integer property"),
    ("x-petshop-images: count", "x-petshop-images: {}", "expected a number or the name"),
    ("x-petshop-images: count", "x-petshop-status: 5", "expected the name of a response property"),
    ("x-petshop-images: count", "x-petshop-status: nothing", "not an integer property of the response"),
    ("property: later", "property: tame", "not an optional boolean property of the request"),
    ("property: later", "property: kind", "not an optional boolean property of the request"),
    ("property: later", "property: nowhere", "not an optional boolean property of the request"),
    ("property: later", "properti: later", "unsupported keyword `properti`"),
    ("webhook: call_back", "webhook: photos", "not a text property of the request"),
    ("webhook: call_back", "webhook: nowhere", "not a text property of the request"),
    ("poll: get_order", "poll: listPets", "not an operation that returns the state of a job"),
    ("poll: get_order", "poll: nothing", "not an operation that returns the state of a job"),
    (", poll: get_order", "", "`poll` is missing"),
    ("id: {type: string}", "id: {type: boolean}", "no property for the parameter of `get_order`"),
    (
        "operationId: put_toy\n      x-petshop-images: count",
        "operationId: put_toy\n      x-petshop-job: {poll: get_order}",
        "no property for the parameter",
    ),
    (
        "schema: {$ref: '#/components/schemas/NewToy'}",
        "schema: {$ref: '#/components/schemas/NewPet'}",
        "the same request, and another mark",
    ),
    ("parameter: price_only", "parameter: price", "not an optional boolean query parameter"),
    (
        "in: query, schema: {type: boolean}",
        "in: query, required: true, schema: {type: boolean}",
        "not an optional boolean query",
    ),
    ("in: query, schema: {type: boolean}", "in: header, schema: {type: boolean}", "not an optional boolean query"),
    ("response: {$ref: '#/components/schemas/Price'}", "response: {type: integer}", "must be a named component"),
    (
        "response: {$ref: '#/components/schemas/Price'}",
        "response: {$ref: '#/components/schemas/Kind'}",
        "is not an object",
    ),
    (", response: {$ref: '#/components/schemas/Price'}", "", "a quote without `response`"),
    ("status: state", "status: mood", "not a text property of the response"),
    ("status: state", "status: days", "not a text property of the response"),
    ("reason: excuse", "reason: days", "not a text property of the response"),
    ("completed: DELIVERED", "completed: ARRIVED", "not a value of `OrderState`"),
    ("failed: LOST", "failed: STOLEN", "not a value of `OrderState`"),
    (
        "- {name: id, in: path",
        "- {name: more, in: query, schema: {type: string}}\n        - {name: id, in: path",
        "one parameter, the id of the job",
    ),
    (
        "in: query\n          required: true",
        "in: query\n          description: How many. Default 7.\n          required: true",
        "the description says that the default is `7`, and there is none",
    ),
    ("in: query\n          required: true", "in: cookie\n          required: true", "parameters in `cookie`"),
    ("/photos/{number}", "/photos/{n}", "is not in the path"),
    ("/photos/{number}", "/photos/no-{number}", "neither plain nor"),
    ("  /toys:", "  toys:", "does not start with a slash"),
    (
        "PetId: {type: string, description: A pet., pattern: '^[a-z]+$'}",
        "PetId: {type: boolean}",
        "cannot be sent in its described form",
    ),
    ("schema: {$ref: '#/components/schemas/PetId'}", "schema: {type: string}", "cannot be sent in its described form"),
    ("{name: number, in: path, required: true,", "{name: number, in: path,", "a path parameter is always required"),
    (
        "schema: {type: array, items: {$ref: '#/components/schemas/Kind'}}",
        "style: pipeDelimited\n          schema: {type: string}",
        "unsupported style",
    ),
    ("'204': {description: Gone.}", "'404': {description: Gone.}", "no successful response"),
    ("'204': {description: Gone.}", "'2O4': {description: Gone.}", "is not a status"),
    (
        "content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}",
        "content: {image/png: {}}",
        "responses of type `image/png`",
    ),
    ("{$ref: '#/components/responses/Refused'}", "{$ref: '#/components/responses/Nowhere'}", "has no target"),
    (
        "content: {application/json: {schema: {$ref: '#/components/schemas/NewToy'}}}",
        "content: {text/csv: {}}",
        "bodies of type `text/csv`",
    ),
    (
        "requestBody:\n        required: true\n        content: {",
        "requestBody:\n        content: {",
        "an optional body",
    ),
    ("schema: {$ref: '#/components/schemas/NewToy'}", "schema: {type: object}", "a body must be a named component"),
    (
        "schema: {$ref: '#/components/schemas/NewToy'}",
        "schema: {$ref: '#/components/schemas/NewPet'}",
        "a file in a JSON body",
    ),
    (
        "kind: {$ref: '#/components/schemas/Kind'}",
        "kind: {$ref: '#/components/schemas/Sort'}",
        "the reference `#/components/schemas/Sort` has no target; write `#/components/schemas/Name` with a name that exists",
    ),
    (
        "kind: {$ref: '#/components/schemas/Kind'}",
        "kind: {$ref: '#/components/schemas/Kind', nullable: true}",
        "ignores keywords next to `$ref`",
    ),
    ("nick: {type: string, nullable: true}", "nick: {nullable: true}", "has no meaning without `type`"),
    ("nick: {type: string, nullable: true}", "nick: {type: string, enum: [A]}", "outside of a named component"),
    ("nick: {type: string, nullable: true}", "nick: {type: object, properties: {}}", "outside of a named component"),
    ("nick: {type: string, nullable: true}", "nick: {type: [string, 'null']}", "unknown type"),
    (
        "nick: {type: string, nullable: true}",
        "nick: {type: string, contentEncoding: base64}",
        "unsupported keyword `contentEncoding`",
    ),
    ("type: {type: string, description: A keyword of Rust.}", "Kind: {type: string}", "are both `kind`"),
    ("type: {type: string, description: A keyword of Rust.}", "'+': {type: string}", "is not a valid name in Rust"),
    (
        "type: {type: string, description: A keyword of Rust.}",
        "photo: {type: string, format: binary}",
        "a file inside a response",
    ),
    ("required: [id, kind, nick, mother]", "required: [id, colour]", "`colour` is required but not among"),
    ("minLength: 1, maxLength: 5", "minLength: one", "expected a whole number"),
    ("  /toys:\n", "  /orders/{number}: {}\n  /toys:\n", "are one path with other names of parameters"),
    (
        "minLength: 1, maxLength: 5",
        "format: date-tim",
        "unknown format `date-tim`; use binary, date, date-time, uri, uuid, or leave it out",
    ),
    ("minLength: 1, maxLength: 5", "minLength: 6, maxLength: 5", "`maxLength` 5 is below `minLength` 6"),
    ("required: [kind, photos]", "required: [kind, tame]", "`tame` is required, so what it excludes can never be sent"),
    ("minLength: 1, maxLength: 5", "pattern: '('", "the pattern `(` cannot be read: "),
    ("minLength: 1, maxLength: 5", "pattern: '^(?!a).$'", "the pattern `^(?!a).$` cannot be read: "),
    ("enum: [CAT, DOG, 3_LEGGED, 10x20]", "enum: [CAT, cat]", "are both `Cat`"),
    ("enum: [CAT, DOG, 3_LEGGED, 10x20]", "enum: [CAT, CAT]", "`CAT` is listed twice; remove one of the two"),
    ("enum: [CAT, DOG, 3_LEGGED, 10x20]", "enum: []", "an enum without values"),
    (
        "Kind: {type: string, description: What it is.,",
        "Kind: {type: string, description: 'What it is. Default `DOG`.',",
        "the description says that the default is `DOG`, and there is none; write the same value",
    ),
    (
        "Kind: {type: string, description: What it is.,",
        "Kind: {type: string, default: CAT, description: 'What it is. Default `DOG`.',",
        "the description says that the default is `DOG`, and it is `CAT`",
    ),
    ("enum: [CAT, DOG, 3_LEGGED, 10x20]", "enum: [1, 2]", "expected text"),
    ("Kind: {type: string, description: What it is.,", "Kind: {type: string, nullable: true,", "enum disagree"),
    ("enum: [CAT, DOG, 3_LEGGED, 10x20]", "enum: [CAT, null]", "enum disagree"),
    ("    Refusal: {", "    refusal_body: {type: object, properties: {}}\n    Refusal: {", "call it `RefusalBody`"),
    (
        "Nickname: {type: string, minLength: 1, maxLength: 5}",
        "Nickname: {$ref: '#/components/schemas/Nickname'}",
        "refers to itself",
    ),
    (
        "allOf: [{$ref: '#/components/schemas/Pet'}]",
        "allOf: [{$ref: '#/components/schemas/Pet'}, {type: object}]",
        "exactly one entry",
    ),
    ("{required: [tame, toy]}", "{required: [tame, car]}", "`car` is not among the properties"),
    ("{required: [tame, toy]}", "{maxProperties: 3}", "only sets of required properties"),
    (
        "mapping: {ball: '#/components/schemas/Ball', rope: Rope}",
        "mapping: {rope: Rope}",
        "has no value in the discriminator's mapping",
    ),
    ("propertyName: type\n", "propertyName: sort\n", "has no property `sort`"),
    (
        "oneOf: [{$ref: '#/components/schemas/FoodByName'},",
        "oneOf: [{$ref: '#/components/schemas/Kind'},",
        "is not an object",
    ),
    (
        "FoodByName: {type: object, required: [name],",
        "FoodByName: {type: object,",
        "no required property distinguishes",
    ),
    (
        "Refusal: {type: object, properties: {error: {type: string}}}",
        "Refusal: {type: object, properties: {error: {$ref: '#/components/schemas/Ball'}}}",
        "is a kind of `Toy` and also used by",
    ),
    (
        "diameter: {type: integer, minimum: 1}",
        "diameter: {$ref: '#/components/schemas/Toy'}",
        "contains itself without an array",
    ),
    (
        "toy: {$ref: '#/components/schemas/Toy'}\n        food",
        "toy: {type: array, items: {type: array, items: {type: string}}}\n        food",
        "part `toy` cannot be encoded",
    ),
];

#[test]
fn every_rule_reports_location_and_repair() {
    for (from, to, message) in REFUSED {
        assert_refused(from, to, message);
    }
}

#[test]
fn an_operation_with_the_name_of_a_method_of_the_client_is_refused() {
    let source = "impl Client { pub fn save_all(&self) {} } impl Other { fn list_pets(&self) {} }";
    let methods = client_methods(source);
    let text = PETSHOP.replacen("operationId: delete_photo", "operationId: saveAll", 1);

    let error = GeneratedClient::read_with_methods(&text, &methods).unwrap_err();

    assert_eq!(methods, ["save_all"]);
    assert_eq!(
        error.to_string(),
        "line 64, `#/paths/~1pets~1{pet_id}~1photos~1{number}/delete` (operation `saveAll`): `Client` already has a method \
         `save_all`; choose another `operationId`, or rename the method of `Client`",
    );
}

#[test]
fn a_problem_inside_an_operation_names_it() {
    let problems = problems("deprecated: true", "callbacks: {}");

    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].operation(), Some("delete_photo"));
    assert_eq!(problems[0].pointer(), Some("/paths/~1pets~1{pet_id}~1photos~1{number}/delete/callbacks"));
    assert_eq!(problems[0].line(), Some(66));
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_document() {
    let text = PETSHOP.replacen("deprecated: true", "callbacks: {}", 1).replacen("3_LEGGED", "CAT", 1);
    let error = GeneratedClient::read(&text.replacen("title: Pet Shop", "title: 7", 1)).unwrap_err();
    let lines: Vec<_> = error.problems().iter().map(Problem::line).collect();

    assert!(lines.len() >= 2 && lines.is_sorted(), "{error}");
}

#[test]
fn text_that_is_not_a_document_is_refused() {
    for text in [
        "",
        "null",
        "42",
        "[]",
        "text",
        "openapi: 3.0.3",
        "{",
        "a: b: c",
        "\u{0}",
        "&a [*a]",
        "!!tag 3",
        "--- 1\n--- 2\n",
    ] {
        let error = GeneratedClient::read(text).unwrap_err();

        assert!(!error.problems().is_empty(), "{text:?}");
    }
}
