"""Run with: ideogram mock run -- python -m pytest test_ideogram.py"""

import os

import pytest
import requests

BASE_URL = os.environ["IDEOGRAM_BASE_URL"]
HEADERS = {"Api-Key": os.environ["IDEOGRAM_API_KEY"]}


def generate(prompt):
    """Generates an image with the 3.0 model, and returns its bytes."""
    response = requests.post(
        f"{BASE_URL}/v1/ideogram-v3/generate",
        headers=HEADERS,
        # A text in a multipart body has no file name.
        files={"prompt": (None, prompt), "rendering_speed": (None, "TURBO"), "aspect_ratio": (None, "16x9")},
        timeout=60,
    )
    response.raise_for_status()
    # The link expires, so the image is fetched at once.
    image = requests.get(response.json()["data"][0]["url"], timeout=60)
    image.raise_for_status()
    return image.content


def mock(path, body):
    """Controls the mock server."""
    requests.post(f"{BASE_URL}/__mock/{path}", json=body, timeout=10).raise_for_status()


def test_a_dataset_stores_images_and_captions():
    image = generate("A paper lantern over a canal")

    dataset = requests.post(f"{BASE_URL}/datasets", headers=HEADERS, json={"name": "Lanterns"}, timeout=60).json()
    address = f"{BASE_URL}/datasets/{dataset['dataset_id']}"
    files = [
        ("files", ("lantern.png", image, "image/png")),
        ("files", ("lantern.txt", "a paper lantern", "text/plain")),
    ]
    uploaded = requests.post(f"{address}/upload_assets", headers=HEADERS, files=files, timeout=60).json()
    stored = requests.get(address, headers=HEADERS, timeout=60).json()

    # Captions are stored, but the response counts images only.
    assert (uploaded["success_count"], uploaded["failed_assets"]) == (1, [])
    assert [file["file_name"] for file in stored["files"]] == ["lantern.png", "lantern.txt"]


def test_a_rate_limit_is_an_error():
    mock("scenarios", {"name": "rate_limited_once", "retry_after": 7})

    with pytest.raises(requests.HTTPError) as error:
        generate("A paper lantern over a canal")

    assert error.value.response.status_code == 429
    assert error.value.response.headers["Retry-After"] == "7"


def test_the_prompt_is_sent_as_it_is():
    generate("提灯, 7 €")

    sent = requests.get(f"{BASE_URL}/__mock/state", timeout=10).json()["requests"]
    call = [request for request in sent if request["operation_id"] == "post_generate_image_v3"][-1]
    assert call["body"]["parts"][0]["text"] == "提灯, 7 €"
