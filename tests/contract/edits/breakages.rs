//! Breakages of the document, each with the message that it causes.

/// Breakages of the document and the whole report, which is about the document unless it names a sample. `[LINE]` stands
/// for the line that was edited; `[ELSEWHERE]` for the line of the text in the last column.
pub(super) const BREAKAGES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "a typing error in a keyword",
        "      summary: List datasets\n      description: >-",
        "      summary: List datasets\n      descripton: >-",
        "[LINE]: `#/paths/~1datasets/get/descripton` (operation `list_datasets`): unsupported keyword `descripton`; did you \
         mean `description`?",
        "",
    ),
    (
        "a typing error in the keyword that says what a schema is",
        "      description: What a new dataset is called.\n      required: [name]\n      properties:",
        "      description: What a new dataset is called.\n      required: [name]\n      propertes:",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/propertes`: unsupported keyword `propertes`; did you mean \
         `properties`?",
        "",
    ),
    (
        "a description without a full stop",
        "      description: What a new dataset is called.\n",
        "      description: What a new dataset is called\n",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/description`: a description without a full stop; write whole \
         sentences",
        "",
    ),
    (
        "a typing error in the keyword that holds the responses",
        "      responses:\n",
        "      respones:\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/respones` (operation `post_generate_image_v4`): unsupported keyword \
         `respones`; did you mean `responses`?",
        "",
    ),
    (
        "an unsupported keyword",
        "      minLength: 5\n",
        "      minLength: 5\n      contentEncoding: base64\n",
        "[LINE]: `#/components/schemas/ModelName/contentEncoding`: unsupported keyword `contentEncoding`; remove it, or \
         express it with one of: type, format, minLength, maxLength, pattern, nullable, description, title, example, \
         default, deprecated, readOnly, writeOnly, externalDocs",
        "",
    ),
    (
        "a reference to nowhere, near a name",
        "Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetId'",
        "Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetID'",
        "[LINE]: `#/paths/~1datasets~1{dataset_id}~1upload_assets/post/parameters/0/schema/$ref`: the reference \
         `#/components/schemas/DatasetID` has no target; did you mean `#/components/schemas/DatasetId`?",
        "",
    ),
    (
        "a reference to nowhere, near no name",
        "$ref: '#/components/schemas/ListDatasetsResponse'",
        "$ref: '#/components/schemas/Nowhere'",
        "[LINE]: `#/paths/~1datasets/get/responses/200/content/application~1json/schema/$ref`: the reference \
         `#/components/schemas/Nowhere` has no target; write `#/components/schemas/Name` with a name that exists",
        "",
    ),
    (
        "a reference without its `#`",
        "$ref: '#/components/schemas/ListDatasetsResponse'",
        "$ref: '/components/schemas/ListDatasetsResponse'",
        "[LINE]: `#/paths/~1datasets/get/responses/200/content/application~1json/schema/$ref`: the reference \
         `/components/schemas/ListDatasetsResponse` has no target; write `#/components/schemas/ListDatasetsResponse`",
        "",
    ),
    (
        "a reference to another section",
        "        '401':\n          $ref: '#/components/responses/Error'\n",
        "        '401':\n          $ref: '#/components/response/Error'\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/responses/401/$ref`: the reference `#/components/response/Error` \
         has no target; did you mean `#/components/responses/Error`?",
        "",
    ),
    (
        "two operations of one id",
        "operationId: create_dataset",
        "operationId: list_datasets",
        "[LINE]: `#/paths/~1datasets/post/operationId` (operation `list_datasets`): `list_datasets` is also the id of `GET \
         /datasets` in line [ELSEWHERE]; give each operation an id of its own",
        "operationId: list_datasets",
    ),
    (
        "a tab",
        "info:\n  title",
        "info:\n\ttitle",
        "[LINE]: not valid YAML: a tab in the indentation; indent with spaces",
        "",
    ),
    (
        "a tab below a text",
        "      required: [file_name]\n      properties:\n        file_name:\n",
        "      required: [file_name]\n      properties:\n\t\tfile_name:\n",
        "[LINE]: not valid YAML: a tab in the indentation; indent with spaces",
        "",
    ),
    (
        "a colon in a text",
        "title: Ideogram API",
        "title: Ideogram: API",
        "[LINE]: not valid YAML: mapping values are not allowed in this context (column 18); put a text that contains a \
         colon and a space into quotes, or correct the indentation",
        "",
    ),
    (
        "a repeated key",
        "      summary: List datasets\n",
        "      summary: List datasets\n      summary: List them\n",
        "[LINE]: the key `summary` is repeated; remove one of the two",
        "",
    ),
    (
        "a response without an example",
        "              example:\n                datasets:\n                  - dataset_id: 2lLrQhV9QnuHcKpWb0sXyA\n                    \
         name: Paper lanterns\n                    user_id: kX0p3rZcSLi4mB2vD7qNfw\n                    creation_time: \
         '2026-06-30T09:12:44.307115+00:00'\n                    cover_asset_identifier:\n                      \
         asset_type: UPLOAD\n                      asset_id: 7uS_VESkRI6O3-sVgHQp_A\n",
        "",
        "[ELSEWHERE]: `#/paths/~1datasets/get/responses/200/content/application~1json`: a response needs an `example`; add \
         one with typical values",
        "            application/json:\n              schema:\n                $ref: \
         '#/components/schemas/ListDatasetsResponse'",
    ),
    (
        "an example that contradicts its schema",
        "                file_count: 2\n",
        "                file_count: two\n",
        "[LINE]: `#/paths/~1datasets~1{dataset_id}/get/responses/200/content/application~1json/example/file_count`: \
         contradicts its schema: \"two\" is not of type \"integer\"; correct the value or the schema",
        "",
    ),
    (
        "an example of a property that contradicts its schema",
        "          example: 482113",
        "          example: large",
        "[LINE]: `#/components/schemas/DatasetFile/properties/file_size_bytes/example`: contradicts its schema: \"large\" \
         is not of type \"integer\"; correct the value or the schema",
        "",
    ),
    (
        "a default that contradicts its schema",
        "          default: []",
        "          default: none",
        "[LINE]: `#/components/schemas/ListDatasetsResponse/properties/datasets/default`: contradicts its schema: \"none\" \
         is not of type \"array\"; correct the value or the schema",
        "",
    ),
    (
        "a typing error in an optional property of an example",
        "307115+00:00'\n                  cover_asset_identifier:\n",
        "307115+00:00'\n                  cover_aset_identifier:\n",
        "[ELSEWHERE]: `#/paths/~1datasets~1{dataset_id}/get/responses/200/content/application~1json/example/dataset`: contradicts \
         its schema: Additional properties are not allowed ('cover_aset_identifier' was unexpected); correct the value or \
         the schema",
        "                dataset:\n                  dataset_id",
    ),
    (
        "a component that no operation refers to",
        "    ErrorBody:\n",
        "    Lanterns:\n      type: string\n      minLength: 5\n      description: Lights made of paper.\n\n    ErrorBody:\n",
        "[LINE]: `#/components/schemas/Lanterns`: no operation refers to `Lanterns`, directly or through other components; \
         refer to it, or remove it",
        "",
    ),
    (
        "a parameter in a header",
        "          in: query\n",
        "          in: header\n",
        "[LINE]: `#/paths/~1datasets/get/parameters/0/in`: a parameter in a header; use `in: query`; the key is a security scheme, and the client sets the \
         other headers",
        "",
    ),
    (
        "an extension left out",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n",
        "operationId: list_datasets\n      x-ideogram-billing: free\n",
        "[ELSEWHERE]: `#/paths/~1datasets/get`: `list_datasets` has no `x-ideogram-retry`; add it: `safe` or `unsafe`",
        "    get:\n      operationId: list_datasets",
    ),
    (
        "an unknown value of an extension",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: maybe",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-retry` (operation `list_datasets`): `maybe` is not a value of \
         `x-ideogram-retry`; write one of: safe, unsafe",
        "",
    ),
    (
        "a typing error in an extension",
        "operationId: list_datasets\n      x-ideogram-billing: free",
        "operationId: list_datasets\n      x-ideogram-biling: free",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-biling`: unknown extension `x-ideogram-biling`; did you mean \
         `x-ideogram-billing`?",
        "",
    ),
    (
        "an unknown extension",
        "operationId: list_datasets\n      x-ideogram-billing: free",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-cost: 3",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-cost`: unknown extension `x-ideogram-cost`; remove it, or write one of: \
         x-ideogram-billing, x-ideogram-retry, x-ideogram-images, x-ideogram-status, x-ideogram-job, x-ideogram-poll, \
         x-ideogram-quote",
        "",
    ),
    (
        "a paid operation that is safe to retry",
        "      x-ideogram-billing: paid\n      x-ideogram-retry: unsafe\n",
        "      x-ideogram-billing: paid\n      x-ideogram-retry: safe\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/x-ideogram-retry` (operation `post_generate_image_v4`): a paid \
         operation that is safe to retry; write `unsafe`: a paid call is retried only if it certainly has not run",
        "",
    ),
    (
        "a lower bound above the upper one",
        "      minLength: 5\n      maxLength: 30\n",
        "      minLength: 35\n      maxLength: 30\n",
        "[ELSEWHERE]: `#/components/schemas/ModelName/maxLength`: `maxLength` 30 is below `minLength` 35; correct one of \
         them",
        "      maxLength: 30\n",
    ),
    (
        "a value of an enum twice",
        "      - ARCHIVED\n",
        "      - ARCHIVED\n        - ARCHIVED\n",
        "[LINE]: `#/components/schemas/ModelStatus/enum/6`: the value `ARCHIVED` is listed twice; remove one of the two",
        "",
    ),
    (
        "a path without its parameter",
        "      parameters:\n        - name: dataset_id\n          in: path\n          required: true\n          description: \
         Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetId'\n",
        "",
        "[ELSEWHERE]: `#/paths/~1datasets~1{dataset_id}~1upload_assets/post` (operation `upload_dataset_assets`): \
         `{dataset_id}` of the path has no parameter; describe it under `parameters` with `in: path`",
        "    post:\n      operationId: upload_dataset_assets",
    ),
    (
        "an unquoted ON",
        "enum: [AUTO, 'ON', 'OFF']",
        "enum: [AUTO, ON, 'OFF']",
        "[LINE]: `#/components/schemas/MagicPromptOption/enum/1`: `ON` without quotes, which YAML 1.1 reads as true; write \
         `'ON'`",
        "",
    ),
    (
        "no summary",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n      \
         x-ideogram-images: 0\n      tags: [datasets]\n      summary: List datasets\n",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n      \
         x-ideogram-images: 0\n      tags: [datasets]\n",
        "[ELSEWHERE]: `#/paths/~1datasets/get`: needs a `summary`; say in a few words what the call does",
        "    get:\n      operationId: list_datasets",
    ),
    (
        "an unknown tag",
        "tags: [models]",
        "tags: [images]",
        "[LINE]: `#/paths/~1v1~1ideogram-v3~1train-model/post/tags/0`: unknown tag \"images\"; describe it under `tags`",
        "",
    ),
    (
        "an error of its own shape",
        "        '401':\n          $ref: '#/components/responses/Error'\n",
        "        '401':\n          description: No key.\n",
        "[ELSEWHERE]: `#/paths/~1v1~1ideogram-v4~1generate/post/responses/401`: `401` has a response of its own; write \
         `$ref: '#/components/responses/Error'`: there is one form of error",
        "        '401':\n",
    ),
    (
        "a link in prose",
        "description: What a new dataset is called.",
        "description: See https://example.test for names.",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/description`: `https://` in a description, which rustdoc reads \
         as markup; put it in backticks, or say it in words; links go to `externalDocs`",
        "",
    ),
    (
        "a misspelled name of an operation in an extension",
        "        poll: get_generation_v2\n",
        "        poll: get_generations_v2\n",
        "[LINE]: `#/paths/~1v2~1image~1generate~1ideogram-4-5/post/x-ideogram-job/poll` (operation `post_generate_image_v2_ideogram45`): `get_generations_v2` is not an operation that \
         returns the state of a job; did you mean `get_generation_v2`?",
        "",
    ),
    (
        "a misspelled name of a property in an extension",
        "      x-ideogram-images: num_images\n",
        "      x-ideogram-images: num_image\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v3~1generate/post/x-ideogram-images` (operation `post_generate_image_v3`): `num_image` is not an integer property of the \
         request; did you mean `num_images`?",
        "",
    ),
    (
        "another value than those of an enum in an extension",
        "        completed: completed\n",
        "        completed: done\n",
        "[LINE]: `#/paths/~1v2~1generations~1{generation_id}/get/x-ideogram-poll/completed` (operation `get_generation_v2`): `done` is not a value of \
         `GenerationStatus`; write a value of the enum",
        "",
    ),
    (
        "a property beside `properties`",
        "          $ref: '#/components/schemas/DatasetCoverAssetIdentifier'\n",
        "          $ref: '#/components/schemas/DatasetCoverAssetIdentifier'\n      colour:\n        type: string\n        \
         description: Red, most of the time.\n",
        "[LINE]: `#/components/schemas/Dataset/colour`: `colour` is a property beside `properties`; indent it: it belongs \
         inside `properties`",
        "",
    ),
    (
        "a value less, which several samples have",
        "        - DRAFT\n",
        "",
        "openapi/examples/list_custom_models/every_state.json: `#/models/1/status`: contradicts the document: \"DRAFT\" is not \
         one of \"CREATING\", \"TRAINING\" or 3 other candidates (the same in 2 other samples); correct it or the document; a \
         response that breaks the document belongs to `openapi/news/list_custom_models/every_state.json`",
        "",
    ),
];
