//! The wait for a training, as a stream of observed states.

use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::time::Instant;

use super::{TrainingError, TrainingProgress, TrainingState, state::Meaning};
use crate::{Error, polling::Polling, types::CustomModel};

/// The maximum time that a model may be in unknown states: longer than any training takes.
const MAX_UNKNOWN_STATE: Duration = Duration::from_secs(24 * 3600);

/// Polls until the training has ended; the stream has one item for each poll.
pub(super) fn states<L, F>(
    poll: L,
    poll_every: Duration,
    deadline: Option<Duration>,
) -> impl Stream<Item = Result<TrainingProgress, TrainingError>> + Send
where
    L: Fn() -> F + Send + Sync,
    F: Future<Output = Result<CustomModel, Error>> + Send,
{
    let polling = Polling::new(poll_every, poll_every, deadline);
    let begin = Watch { poll, polling, model: None, unknown_since: None };
    stream::try_unfold(Some(begin), async |watch| match watch {
        Some(watch) => watch.next().await.map(Some),
        None => Ok(None),
    })
}

/// The state of a wait between two polls.
struct Watch<L> {
    poll: L,
    polling: Polling,
    /// The model of the last successful poll.
    model: Option<CustomModel>,
    /// Since when the model has been in unknown states.
    unknown_since: Option<Instant>,
}

impl<L, F> Watch<L>
where
    L: Fn() -> F,
    F: Future<Output = Result<CustomModel, Error>>,
{
    /// Waits and polls. Returns the state, and the rest of the wait if it has not ended.
    async fn next(mut self) -> Result<(TrainingProgress, Option<Self>), TrainingError> {
        let state = match self.polling.next(&self.poll).await? {
            Ok(model) => {
                self.model = Some(model.clone());
                self.check_unknown(&model)?;
                TrainingState::of(model)?
            }
            Err(failure) => TrainingState::PollFailed(failure),
        };
        let elapsed = self.polling.elapsed();
        if matches!(state, TrainingState::Trained(_)) {
            return Ok((TrainingProgress { state, elapsed, next_poll_in: None }, None));
        }
        let failure = if let TrainingState::PollFailed(failure) = &state { Some(failure) } else { None };
        let Some(wait) = self.polling.plan(failure) else {
            let last_error = if let TrainingState::PollFailed(error) = state { Some(error) } else { None };
            return Err(TrainingError::DeadlinePassed { elapsed, model: self.model.map(Box::new), last_error });
        };
        Ok((TrainingProgress { state, elapsed, next_poll_in: Some(wait) }, Some(self)))
    }

    /// Ends the wait if the model has been in unknown states for too long.
    fn check_unknown(&mut self, model: &CustomModel) -> Result<(), TrainingError> {
        if Meaning::of(&model.status) != Meaning::Unknown {
            self.unknown_since = None;
            return Ok(());
        }
        let elapsed = self.unknown_since.get_or_insert_with(Instant::now).elapsed();
        if elapsed < MAX_UNKNOWN_STATE {
            return Ok(());
        }
        Err(TrainingError::UnknownState { elapsed, model: Box::new(model.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        collections::{BTreeSet, VecDeque},
        sync::Mutex,
    };

    use bytes::Bytes;
    use futures_util::TryStreamExt as _;
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::{ApiKey, ErrorKind, Outcome, call::status::error_of};

    const MINUTE: Duration = Duration::from_secs(60);

    #[expect(clippy::unnecessary_wraps, reason = "what a poll gives")]
    fn model(status: &str, available: bool, uri: Option<&str>) -> Result<CustomModel, Error> {
        let model = json!({
            "model_id": "m", "name": "lanterns", "status": status, "creation_time": "2026-07-01T09:00:00Z",
            "is_available_for_generation": available, "is_owned": true, "custom_model_uri": uri,
        });
        Ok(serde_json::from_value(model).unwrap())
    }

    fn training() -> Result<CustomModel, Error> {
        model("TRAINING", false, None)
    }

    fn trained() -> Result<CustomModel, Error> {
        model("COMPLETED", true, Some("model/lanterns/version/0"))
    }

    fn status(status: u16, retry_after: Option<u64>) -> Result<CustomModel, Error> {
        let status = StatusCode::from_u16(status).unwrap();
        let retry_after = retry_after.map(Duration::from_secs);
        Err(error_of(status, retry_after, Bytes::new(), true, &ApiKey::new("secret").unwrap()))
    }

    fn failure(kind: ErrorKind) -> Result<CustomModel, Error> {
        Err(Error::new(kind, Outcome::Unknown, "a failure of the test"))
    }

    /// The result of a script of polls: the states as text, the time of each poll, the end.
    struct Watched {
        states: Vec<String>,
        polls: Vec<Duration>,
        end: Result<(), TrainingError>,
        left: usize,
    }

    async fn watch(
        script: impl IntoIterator<Item = Result<CustomModel, Error>>,
        deadline: Option<Duration>,
    ) -> Watched {
        let script: Mutex<VecDeque<_>> = Mutex::new(script.into_iter().collect());
        let started = Instant::now();
        let polls = Mutex::new(Vec::new());
        let poll = || {
            polls.lock().unwrap().push(started.elapsed());
            let next = script.lock().unwrap().pop_front();
            async move {
                match next {
                    Some(result) => result,
                    None => std::future::pending().await,
                }
            }
        };
        let seen = RefCell::new(Vec::new());
        let end = {
            let states = states(poll, MINUTE, deadline);
            states.try_for_each(|progress| {
                seen.borrow_mut().push(progress.state.to_string());
                async { Ok(()) }
            })
        }
        .await;
        Watched {
            states: seen.into_inner(),
            polls: polls.into_inner().unwrap(),
            end,
            left: script.into_inner().unwrap().len(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_continues_until_a_completed_model_is_registered() {
        let script = [
            model("CREATING", false, None),
            training(),
            model("COMPLETED", false, None),
            model("COMPLETED", true, None),
            model("COMPLETED", true, Some("")),
            model("COMPLETED", false, Some("model/lanterns/version/0")),
            trained(),
            training(),
        ];

        let watched = watch(script, None).await;

        let waiting = "COMPLETED, but not registered yet";
        assert_eq!(watched.states, ["CREATING", "TRAINING", waiting, waiting, waiting, waiting, "COMPLETED"]);
        assert!(watched.end.is_ok());
        assert_eq!(watched.left, 1, "nothing is sent after the end");
    }

    #[tokio::test(start_paused = true)]
    async fn polls_are_a_minute_apart_with_a_jitter_of_a_tenth() {
        let watched = watch([training(), training(), training(), training(), trained()], None).await;

        assert_eq!(watched.polls[0], Duration::ZERO);
        let waits: BTreeSet<_> = watched.polls.windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect();
        let (shortest, longest) = (MINUTE * 9 / 10, MINUTE * 11 / 10 + Duration::from_millis(2));
        assert!(waits.iter().all(|wait| (shortest..=longest).contains(wait)), "{waits:?}");
        assert!(waits.len() > 1, "waits differ: {waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_and_unknown_states_do_not_end_the_wait() {
        let script = [
            failure(ErrorKind::Transport),
            status(500, None),
            status(408, None),
            status(429, None),
            status(502, None),
            status(503, None),
            status(504, None),
            failure(ErrorKind::UndocumentedResponse),
            model("DISTILLING", false, None),
            failure(ErrorKind::UndocumentedResponse),
            failure(ErrorKind::UndocumentedResponse),
            failure(ErrorKind::UndocumentedResponse),
            model("DRAFT", false, None),
            trained(),
        ];

        let watched = watch(script, None).await;

        assert!(watched.end.is_ok(), "{:?}", watched.end);
        assert_eq!(watched.states.len(), 14);
    }

    #[tokio::test(start_paused = true)]
    async fn final_states_end_the_wait_with_the_model() {
        let errored = watch([training(), model("ERRORED", false, None), trained()], None).await;
        let archived = watch([model("ARCHIVED", false, None), trained()], None).await;

        assert!(matches!(errored.end, Err(TrainingError::Errored(ref model)) if model.name == "lanterns"));
        assert!(matches!(archived.end, Err(TrainingError::Archived(_))));
        assert_eq!((errored.left, archived.left), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn every_state_that_means_a_failure_ends_the_wait() {
        for state in ["FAILED", "failed", "CANCELLED", "EXPIRED", "REJECTED", "TRAINING_ERROR"] {
            let watched = watch([training(), model(state, false, None), trained()], None).await;

            let Err(error @ TrainingError::Errored(_)) = watched.end else { panic!("{state}: {:?}", watched.end) };
            assert_eq!(error.to_string(), format!("the training of the model m failed: its state is {state}"));
            assert_eq!(watched.left, 1, "{state}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_state_is_tolerated_for_a_day() {
        let unknown = || (0..2_000).map(|_| model("QUEUED", false, None));
        let in_vain = watch(unknown(), None).await;
        let with_news =
            watch(unknown().take(1_000).chain([training()]).chain(unknown().take(1_000)).chain([trained()]), None);

        let day = Duration::from_secs(24 * 3600);
        assert!(
            matches!(in_vain.end, Err(TrainingError::UnknownState { elapsed, .. }) if elapsed >= day && elapsed < day + 2 * MINUTE)
        );
        assert!(with_news.await.end.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn permanent_failures_end_the_wait_at_once() {
        for code in [400, 401, 402, 403, 409, 422] {
            let watched = watch([training(), status(code, None), trained()], None).await;

            assert!(matches!(watched.end, Err(TrainingError::Call(_))), "{code}");
            assert_eq!(watched.left, 1, "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_may_be_listed_late() {
        let late = watch([status(404, None), status(404, None), status(404, None), trained()], None).await;
        let never = watch((0..9).map(|_| status(404, None)), None).await;
        let gone = watch([training(), status(404, None), trained()], None).await;

        assert!(late.end.is_ok());
        assert!(late.polls[3] < Duration::from_secs(17), "{:?}", late.polls);
        assert!(matches!(never.end, Err(TrainingError::Call(ref error)) if error.kind() == ErrorKind::NotFound));
        assert_eq!(never.left, 9 - 4);
        assert!(matches!(gone.end, Err(TrainingError::Call(_))));
        assert_eq!(gone.left, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honored() {
        let watched = watch([status(429, Some(600)), status(429, Some(1)), trained()], None).await;

        assert!(watched.polls[1] >= Duration::from_secs(600));
        assert!(watched.polls[2].abs_diff(watched.polls[1]) >= MINUTE * 9 / 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_of_a_day_counts_as_ten_minutes() {
        let watched = watch([status(503, Some(86_400)), trained()], None).await;
        let in_time = watch([status(503, Some(86_400)), trained()], Some(MINUTE * 60)).await;

        for watched in [watched, in_time] {
            assert!(watched.end.is_ok(), "{:?}", watched.end);
            assert!(watched.polls[1] >= MINUTE * 10 && watched.polls[1] < MINUTE * 11, "{:?}", watched.polls);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_the_wait_after_a_last_poll() {
        let deadline = Duration::from_secs(90);

        let in_vain = watch([training(), training(), training(), trained()], Some(deadline)).await;
        let in_time = watch([training(), training(), trained()], Some(deadline)).await;

        let Err(error @ TrainingError::DeadlinePassed { .. }) = in_vain.end else { panic!("{:?}", in_vain.end) };
        assert!(error.to_string().contains("its training continues"), "{error}");
        assert!(matches!(error, TrainingError::DeadlinePassed { model: Some(_), last_error: None, .. }));
        assert!(in_vain.polls[2] >= deadline && in_vain.polls[2] < deadline + Duration::from_secs(1));
        assert_eq!(in_vain.left, 1);
        assert!(in_time.end.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_beyond_the_deadline_ends_the_wait() {
        let watched = watch([training(), status(429, Some(600)), trained()], Some(Duration::from_secs(300))).await;

        assert!(
            matches!(watched.end, Err(TrainingError::DeadlinePassed { last_error: Some(_), .. })),
            "{:?}",
            watched.end
        );
        assert_eq!(watched.polls.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_without_a_response_ends_with_the_deadline() {
        let started = Instant::now();

        let watched = watch([training()], Some(Duration::from_secs(70))).await;

        assert!(
            matches!(watched.end, Err(TrainingError::DeadlinePassed { last_error: Some(_), .. })),
            "{:?}",
            watched.end
        );
        assert!(started.elapsed() <= Duration::from_secs(81), "{:?}", started.elapsed());
    }
}
