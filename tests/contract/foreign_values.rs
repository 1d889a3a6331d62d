//! The values that the pet shop's client refuses, builds and decodes, without a server.

use petshop::{
    Client, Error, ErrorKind, File, Validation,
    operation::ImageCount,
    operations,
    request::{PartContent, Request},
    types,
};
use serde_json::json;

fn client() -> Client {
    Client::builder().api_key("token").base_url("http://127.0.0.1:9/api").build().unwrap()
}

fn parts(request: &Request) -> Vec<(&str, String)> {
    let text = |content: &PartContent| match content {
        PartContent::Text(text) => text.clone(),
        PartContent::Json { text, media_type } => format!("{} {text}", media_type.unwrap_or("-")),
        PartContent::File(file) => format!("<{}>", file.name()),
        other => panic!("a kind of part that this test does not know: {other:?}"),
    };
    request.parts().iter().map(|part| (part.name.as_ref(), text(&part.content))).collect()
}

#[test]
fn a_call_reads_like_the_document() {
    let client = client();

    let request = client
        .pet()
        .kind("CAT")
        .nicknames(["Mo", "Tib"])
        .photos(["a.png", "b.png"])
        .weight(4.5)
        .toy(types::Ball::builder().diameter(7))
        .food(types::FoodByName::builder().name("hay"))
        .prepare()
        .unwrap();

    assert_eq!(request.method(), "POST");
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/api/pets");
    assert_eq!(
        parts(&request),
        [
            ("kind", "CAT".to_owned()),
            ("nicknames", "Mo".to_owned()),
            ("nicknames", "Tib".to_owned()),
            ("photos", "<a.png>".to_owned()),
            ("photos", "<b.png>".to_owned()),
            ("weight", "4.5".to_owned()),
            ("toy", r#"application/json {"type":"ball","diameter":7}"#.to_owned()),
            ("food", r#"- {"name":"hay"}"#.to_owned()),
        ]
    );
}

#[test]
fn parameters_of_every_kind_are_sent() {
    let client = client();

    let request = client.list_pets().kind(["CAT", "10x20"]).page(3).x_trace("abc").prepare().unwrap();
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/api/pets?kind=CAT&kind=10x20&page=3");
    assert_eq!(request.headers()["X-Trace"], "abc");

    let request = client.list_parts().toy_id("abc").sizes([1, 2]).prepare().unwrap();
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/api/toys/abc/parts?sizes=1&sizes=2");

    #[expect(deprecated, reason = "the document marks it")]
    let request = client.delete_photo().pet_id("tib").number(7).prepare().unwrap();
    assert_eq!(request.url().path(), "/api/pets/tib/photos/7");
}

#[test]
fn invalid_values_are_refused_by_name() {
    let client = client();
    let refused = |request: Result<Request, Error>| {
        let error = request.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };

    assert_eq!(refused(client.pet().kind("CAT").prepare()), "post_pet: `photos` is required, but was not given");
    assert_eq!(
        refused(client.pet().kind("CAT").photos(["a"]).nicknames(["", "ok", "toolong"]).weight(0.0).prepare()),
        "post_pet: `nicknames` must have at most 2 elements, and has 3; \
         `nicknames.0` must have 1 to 5 characters, and has 0; \
         `nicknames.2` must have 1 to 5 characters, and has 7; \
         `weight` must be more than 0, and is 0"
    );
    assert_eq!(
        refused(client.pet().kind("CAT").photos(["a"]).tame(true).toy(types::Rope::builder().knots([1])).prepare()),
        "post_pet: `tame` with `toy` cannot be combined"
    );
    assert_eq!(
        refused(client.pet().kind("CAT").photos(["a"]).food(types::FoodByName::builder().name("grass")).prepare()),
        "post_pet: `food.name` must have at most 3 characters, and has 5"
    );
    assert_eq!(refused(client.toy().count(1).prepare()), "put_toy: needs one of `toy`, `drawing`");
    assert_eq!(
        refused(client.toy().drawing("x").toy(types::Ball::builder().diameter(0)).prepare()),
        "put_toy: `toy.diameter` must be at least 1, and is 0; takes only one of `toy`, `drawing`, not `toy` and `drawing`"
    );
    assert!(refused(client.list_pets().page(u64::MAX).prepare()).starts_with("listPets: `page`: out of range"));
    assert_eq!(refused(client.list_pets().page(0).prepare()), "listPets: `page` must be at least 1, and is 0");
    assert_eq!(
        refused(client.list_parts().toy_id("ab").sizes([0, 1, 2]).prepare()),
        "list_parts: `toy_id` must have at least 3 characters, and has 2; \
         `sizes` must have at most 2 elements, and has 3; `sizes.0` must be at least 1, and is 0"
    );
    assert_eq!(
        refused(client.toy().toy(types::Rope::builder()).prepare()),
        "put_toy: `toy`: `knots` is required, but was not given"
    );
    let deep = types::NewToy::builder().drawing("y").count(9);
    assert_eq!(
        refused(client.toy().drawing("x").inside(types::NewToy::try_from(deep).unwrap()).prepare()),
        "put_toy: `inside.count` must be at most 8, and is 9"
    );
    assert_eq!(
        refused(client.pet().kind("CAT").photos(["a"]).weight(f32::NAN).prepare()),
        "post_pet: `weight` must be a number, and is NaN"
    );

    #[expect(deprecated, reason = "the document marks it")]
    let outside_of_the_pattern = client.delete_photo().pet_id("TIB").number(7).prepare();
    assert_eq!(refused(outside_of_the_pattern), "delete_photo: `pet_id` does not match `^[a-z]+$`");
}

#[test]
fn checks_can_be_left_to_the_service() {
    let build = |validation| Client::builder().api_key("token").validation(validation).build().unwrap();
    let count = |client: &Client| client.toy().drawing("x").count(99).prepare().is_ok();

    assert!(!count(&build(Validation::On)));
    assert!(count(&build(Validation::Off)));
    assert!(count(&build(Validation::Except(vec!["count".to_owned()]))));
    assert!(!count(&build(Validation::Except(vec!["drawing".to_owned()]))));
}

#[test]
fn responses_survive_news() {
    let pets: types::Pets = serde_json::from_value(json!({
        "pets": [
            {"id": "1", "kind": "FISH", "nick": null, "mother": null, "toys": null, "born": "2000-01-23 04:56:07+00:00"},
            {"id": "2", "kind": "3_LEGGED", "toys": [
                {"type": "ball", "diameter": 3},
                {"type": "frisbee", "wings": 2},
                {"type": "ball", "diameter": "wide"},
                {"no": "type"},
                7,
            ], "news": true},
        ],
    }))
    .unwrap();

    assert_eq!(pets.pets[0].kind, types::Kind::Unrecognized("FISH".to_owned()));
    assert_eq!(pets.pets[1].kind, types::Kind::Kind3Legged);
    assert!(pets.pets[0].toys.is_empty());
    let toys = &pets.pets[1].toys;
    assert_eq!(toys[0].kind::<types::Ball>().unwrap().diameter, 3);
    assert_eq!(toys[1], types::Toy::Unrecognized(json!({"type": "frisbee", "wings": 2})));
    assert!(toys[2..].iter().all(|toy| matches!(toy, types::Toy::Unrecognized(_))));
    assert_eq!(serde_json::from_value::<types::Pets>(json!({"pets": null})).unwrap().pets, []);
}

#[test]
fn decoded_values_are_encoded_again() {
    let pet = json!({
        "id": "1", "type": "house", "kind": "DOG", "nick": null, "mother": null,
        "born": "2000-01-23T04:56:07Z", "toys": [{"type": "rope", "knots": [1]}, {"type": "kite"}],
        "anything": [1], "notes": {"a": 1},
    });

    let decoded: types::Pet = serde_json::from_value(pet.clone()).unwrap();

    assert_eq!(serde_json::to_value(&decoded).unwrap(), pet);
}

#[test]
fn files_are_written_to_json_without_content_and_never_read_from_it() {
    trait NotDeserialize {
        const DESERIALIZES: bool = false;
    }
    impl<T> NotDeserialize for T {}
    struct Probe<T>(std::marker::PhantomData<T>);
    impl<T: serde::de::DeserializeOwned> Probe<T> {
        const DESERIALIZES: bool = true;
    }

    const { assert!(Probe::<types::NewToy>::DESERIALIZES) };
    const { assert!(!Probe::<types::NewPet>::DESERIALIZES) };
    let body = types::NewPet::builder().kind("CAT").photos([File::from_bytes("a.png", &b"secret"[..])]);
    let json = serde_json::to_value(types::NewPet::try_from(body).unwrap()).unwrap();
    assert_eq!(json["photos"], json!([{"name": "a.png", "size_bytes": 6, "media_type": "image/png"}]));
}

#[test]
fn constants_agree_with_the_document() {
    assert_eq!(operations::SERVER_URL, "https://petshop.test/api");
    assert_eq!(operations::API_KEY_HEADER, Some("X-Token"));
    assert_eq!(operations::ALL.len(), 6);
    assert_eq!(operations::PUT_TOY.images, ImageCount::Property("count"));
    assert!(operations::DELETE_PHOTO.deprecated);
}
