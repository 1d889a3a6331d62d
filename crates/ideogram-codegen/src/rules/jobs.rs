//! Reads and checks the marks of calls that run as jobs, of calls that can be priced, and of operations that return the
//! state of a job.

use super::{
    Reader,
    cross_checks::{response_properties, response_property},
};
use crate::{
    document::Node,
    model::{Job, Kind, Location, Model, Object, Operation, Poll, Property, Quote, Shape},
};

impl<'d> Reader<'d> {
    pub(super) fn job(&self, node: &Node<'d>) -> Option<Job> {
        let mark = self.extension(node, "-job")?;
        self.only_keys(&mark, &["property", "webhook", "poll"]);
        let name = |key| mark.get(key).map(|_| self.text(&mark, key));
        Some(Job { property: name("property"), webhook: name("webhook"), poll: self.text(&mark, "poll") })
    }

    pub(super) fn quote(&self, node: &Node<'d>) -> Option<Quote> {
        let mark = self.extension(node, "-quote")?;
        self.only_keys(&mark, &["parameter", "response"]);
        let parameter = self.text(&mark, "parameter");
        let Some(response) = mark.get("response") else {
            self.report(&mark, "a quote without `response`", "add `response: {$ref: ...}`");
            return None;
        };
        match self.schema(&response).kind {
            Kind::Component(response) => Some(Quote { parameter, response }),
            // A reference that leads to no component has been reported.
            _ if response.get("$ref").is_some() => None,
            _ => {
                let repair = "write `$ref: '#/components/schemas/Name'`";
                self.report(&response, "the response with the price must be a named component", repair);
                None
            }
        }
    }

    pub(super) fn poll(&self, node: &Node<'d>) -> Option<Poll> {
        let mark = self.extension(node, "-poll")?;
        self.only_keys(&mark, &["status", "completed", "failed", "reason"]);
        let [status, completed, failed] = ["status", "completed", "failed"].map(|key| self.text(&mark, key));
        Some(Poll { status, completed, failed, reason: mark.get("reason").map(|_| self.text(&mark, "reason")) })
    }

    pub(super) fn jobs_can_be_polled(&self, model: &Model, operation: &Operation) {
        let Some(job) = &operation.job else { return };
        let report = |message: String, repair: &str| self.report_at(&operation.pointer, message, repair);
        let report_name = |key, name: &str, message: String, known: Vec<&str>, repair: &str| {
            self.report_name(operation, ("-job", Some(key)), name, message, known, repair);
        };
        match model.operation(&job.poll).filter(|poll| poll.poll.is_some()) {
            None => {
                let message = format!("`{}` is not an operation that returns the state of a job", job.poll);
                let polls = model.operations.iter().filter(|it| it.poll.is_some()).map(|it| it.id.as_str());
                let repair = "name an operation with the extension for polls";
                report_name("poll", &job.poll, message, polls.collect(), repair);
            }
            Some(poll) => {
                let id = id_parameter(poll).and_then(|id| response_property(model, operation, id));
                if !id.is_some_and(|id| is_text(model, id)) {
                    let message = format!("the response has no property for the parameter of `{}`", job.poll);
                    report(message, "name the id in the response as the parameter is named");
                }
            }
        }
        let object = operation.body.as_ref().and_then(|body| model.object(&body.component));
        let named = |is_possible: &dyn Fn(&Object, &Property) -> bool| -> Vec<&str> {
            let properties = object.iter().flat_map(|object| object.properties.iter().map(move |it| (*object, it)));
            properties.filter(|(object, it)| is_possible(object, it)).map(|(_, it)| it.name.as_str()).collect()
        };
        if let Some(name) = &job.property {
            let switches = named(&|object, property| {
                !property.required && is_boolean(model, property) && !is_in_a_choice(object, &property.name)
            });
            if !switches.contains(&name.as_str()) {
                let message = format!("`{name}` is not an optional boolean property of the request");
                let repair = "name the property that makes a call a job, or leave it out if every call is one";
                report_name("property", name, message, switches, repair);
            }
        }
        if let Some(name) = &job.webhook {
            let texts = named(&|_, property| is_text(model, property));
            if !texts.contains(&name.as_str()) {
                let message = format!("`{name}` is not a text property of the request");
                report_name("webhook", name, message, texts, "name the property with the address of the webhook");
            }
        }
        // The generated struct of a request lacks the property, for all operations that take it.
        let shares_the_body = |other: &&Operation| {
            let components = other.body.as_ref().zip(operation.body.as_ref());
            components.is_some_and(|(one, other)| one.component == other.component)
        };
        let property = |of: &Operation| of.job.as_ref().and_then(|job| job.property.clone());
        let mut sharing = model.operations.iter().filter(shares_the_body);
        if let Some(other) = sharing.find(|other| property(other) != property(operation)) {
            let message = format!("`{}` has the same request, and another mark of jobs", other.id);
            report(message, "give both operations the same mark, or a request of their own");
        }
    }

    pub(super) fn quotes_have_a_price(&self, model: &Model, operation: &Operation) {
        let Some(quote) = &operation.quote else { return };
        let report_name = |key, name: &str, message: String, known: Vec<&str>, repair: &str| {
            self.report_name(operation, ("-quote", Some(key)), name, message, known, repair);
        };
        let switches = operation.parameters.iter().filter(|parameter| {
            parameter.location == Location::Query
                && !parameter.required
                && matches!(model.resolved(&parameter.schema).kind, Kind::Boolean)
        });
        let switches: Vec<&str> = switches.map(|parameter| parameter.name.as_str()).collect();
        if !switches.contains(&quote.parameter.as_str()) {
            let message = format!("`{}` is not an optional boolean query parameter", quote.parameter);
            report_name("parameter", &quote.parameter, message, switches, "name the parameter that asks for the price");
        }
        if model.object(&quote.response).is_none() {
            let message = format!("`{}` is not an object", quote.response);
            report_name("response", "", message, Vec::new(), "refer to an object with the price");
        }
    }

    pub(super) fn polls_tell_a_state(&self, model: &Model, operation: &Operation) {
        let Some(poll) = &operation.poll else { return };
        let report = |message: String, repair: &str| self.report_at(&operation.pointer, message, repair);
        if id_parameter(operation).is_none() {
            let repair = "remove the other parameters and the body";
            report("a poll has one parameter, the id of the job in the path".to_owned(), repair);
        }
        let report_name = |key, name: &str, message: String, known: &[&str], repair: &str| {
            self.report_name(operation, ("-poll", Some(key)), name, message, known.iter().copied(), repair);
        };
        let texts = response_properties(model, operation).iter().filter(|property| is_text(model, property));
        let texts: Vec<&str> = texts.map(|property| property.name.as_str()).collect();
        for (key, name) in [("status", Some(&poll.status)), ("reason", poll.reason.as_ref())] {
            if let Some(name) = name.filter(|name| !texts.contains(&name.as_str())) {
                let message = format!("`{name}` is not a text property of the response");
                report_name(key, name, message, &texts, "name a property of the response");
            }
        }
        let status = response_property(model, operation, &poll.status);
        let Some(Kind::Component(component)) = status.map(|property| &model.resolved(&property.schema).kind) else {
            return;
        };
        let Shape::Enum(values) = &model.components[component].shape else { return };
        let known: Vec<&str> = values.iter().map(String::as_str).collect();
        for (key, value) in [("completed", &poll.completed), ("failed", &poll.failed)] {
            if !values.contains(value) {
                let message = format!("`{value}` is not a value of `{component}`");
                report_name(key, value, message, &known, "write a value of the enum");
            }
        }
    }
}

/// The name of the one parameter of an operation that polls.
pub(crate) fn id_parameter(operation: &Operation) -> Option<&str> {
    match operation.parameters.as_slice() {
        [id] if id.location == Location::Path && operation.body.is_none() => Some(&id.name),
        _ => None,
    }
}

fn is_text(model: &Model, property: &Property) -> bool {
    match &model.resolved(&property.schema).kind {
        Kind::Text(_) => true,
        Kind::Component(name) => matches!(model.components[name].shape, Shape::Enum(_)),
        _ => false,
    }
}

fn is_boolean(model: &Model, property: &Property) -> bool {
    matches!(model.resolved(&property.schema).kind, Kind::Boolean)
}

fn is_in_a_choice(object: &Object, name: &str) -> bool {
    object.choices.iter().any(|choice| choice.properties().contains(&name))
}
