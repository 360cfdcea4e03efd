//! Confirmations by e-mail.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `SMTP_URL` | `smtp://user:password@host:port`, with `?tls=required` for STARTTLS, or `smtps://…` | none: the log alone tells |
//! | `MAIL_FROM` | the sender, such as `Shop <orders@shop.example>` | required with `SMTP_URL` |

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jobs::TaskError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use orders::reactions::Letter;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::letter;

/// The longest that the server may take. Shorter than the database lets the transaction idle that waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends mail.
#[derive(Clone)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    turns: Arc<Semaphore>,
}

impl Mailer {
    /// Reads the variables in the module's table; none where no server is configured. Connects to nothing yet. Sends
    /// up to `at_once` letters at once. Even with a server next door that is some 20 a second for each of them: lettre
    /// sends the end of a letter apart, which waits (Nagle) until the letter is acknowledged, and that is put off for 40 ms.
    ///
    /// # Errors
    /// When one cannot be understood. Never repeats `SMTP_URL`, which holds a password.
    pub(crate) fn from_env(at_once: usize) -> anyhow::Result<Option<Self>> {
        let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let Some(url) = set("SMTP_URL") else { return Ok(None) };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|_| anyhow::anyhow!("SMTP_URL is not a URL such as smtp://user:password@host:587?tls=required"))?;
        let from = set("MAIL_FROM").context("MAIL_FROM is not set, and SMTP_URL is")?;
        let from = from
            .parse()
            .map_err(|_| anyhow::anyhow!("MAIL_FROM is not an address such as Shop <orders@shop.example>"))?;
        let pool = PoolConfig::new().max_size(u32::try_from(at_once).unwrap_or(u32::MAX));
        let transport = transport.timeout(Some(PATIENCE)).pool_config(pool).build();
        Ok(Some(Self { transport, from, turns: Arc::new(Semaphore::new(at_once)) }))
    }

    /// Waits for its turn to send. To be taken before a connection to the database is: letters hold one while the mail
    /// server takes its time, and other tasks need some as well.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, TaskError> {
        self.turns.acquire().await.map_err(TaskError::not_tried)
    }

    /// Sends a letter. Its Message-ID depends on the order alone, so that whoever gets it twice can tell; and on the moment
    /// at which staff wanted it sent once more, so that nobody throws away what was wanted.
    ///
    /// # Errors
    /// Permanent when the address is none, or the server will not have it. Never says the address.
    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), TaskError> {
        let message = self.message(letter)?;
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(TaskError::retry(format!("the mail server took longer than {PATIENCE:?}"))),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, TaskError> {
        let address: Address =
            letter.address.as_str().parse().map_err(|_| TaskError::permanent("the customer's address is none"))?;
        let (store_id, order_id) = (letter.order.terms.store_id, letter.order.id);
        let again = letter.resent.map(|moment| format!("-{moment}")).unwrap_or_default();
        let bodies = letter::write(letter).map_err(TaskError::permanent)?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(format!("Your order {order_id} is confirmed"))
            .message_id(Some(format!("<order-{store_id}-{order_id}{again}@{}>", self.from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(bodies.text, bodies.html))
            .map_err(TaskError::permanent)?;
        // So that nobody's holiday answers it (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".into()));
        Ok(message)
    }
}

/// What the server answered may quote the address, so only its codes are told.
fn failed(error: &smtp::Error) -> TaskError {
    let Some(code) = error.status() else { return TaskError::retry("the mail server could not be talked to") };
    // Its words are the error's cause, and begin with the enhanced code (RFC 2034) where the server has such.
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match enhanced(&words) {
        // It is about the mailbox (RFC 3463, 3.2). Any other refusal, such as "relaying denied" under the same 550, is
        // about us, and may be mended.
        Some(status) if error.is_permanent() && status.starts_with("5.1.") => {
            TaskError::permanent(format!("the mail server refused the address: {code} {status}"))
        }
        Some(status) => TaskError::retry(format!("the mail server refused: {code} {status}")),
        None => TaskError::retry(format!("the mail server refused: {code}")),
    }
}

/// The enhanced status code at the beginning of an answer, such as `5.1.1`.
fn enhanced(words: &str) -> Option<&str> {
    let status = words.split_whitespace().next()?;
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (status.split('.').count() == 3 && status.split('.').all(is_number)).then_some(status)
}
