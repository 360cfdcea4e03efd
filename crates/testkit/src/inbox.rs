//! A mail server that keeps what it is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Speaks SMTP on a free port of the loopback address (RFC 5321, without extensions), takes every letter, and delivers
/// none.
pub struct Inbox {
    port: u16,
    state: Arc<Mutex<State>>,
    answers: Arc<watch::Sender<bool>>,
}

/// A letter that was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who sent it, as the envelope says.
    pub from: String,
    /// Who gets it, as the envelope says.
    pub to: Vec<String>,
    /// The letter, with its headers.
    pub text: String,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// What recipients are answered instead of being taken, by their address; the empty one is for anybody, once.
    refusals: HashMap<String, &'static str>,
    /// Recipients that are not answered at all, and how often each was named.
    ignored: HashMap<String, usize>,
}

impl Inbox {
    /// Starts a server.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let (state, answers) = (Arc::<Mutex<State>>::default(), Arc::new(watch::Sender::new(true)));
        let (kept, may_answer) = (Arc::clone(&state), answers.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client that goes away in the middle has sent nothing.
                tokio::spawn(converse(client, Arc::clone(&kept), may_answer.clone()));
            }
        });
        Self { port, state, answers }
    }

    /// Where it listens, as `smtp://host:port`.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every letter so far.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.state).mails.clone()
    }

    /// Answers the next recipient so, instead of taking it.
    pub fn refuse_once(&self, answer: &'static str) {
        lock(&self.state).refusals.insert(String::new(), answer);
    }

    /// Always answers this recipient so.
    pub fn refuse(&self, address: &str, answer: &'static str) {
        lock(&self.state).refusals.insert(address.into(), answer);
    }

    /// Never answers whoever names this recipient.
    pub fn ignore(&self, address: &str) {
        lock(&self.state).ignored.insert(address.into(), 0);
    }

    /// How often a recipient was named that is ignored.
    pub fn times_ignored(&self, address: &str) -> usize {
        lock(&self.state).ignored.get(address).copied().unwrap_or_default()
    }

    /// Takes letters to this recipient from now on.
    pub fn forgive(&self, address: &str) {
        let mut state = lock(&self.state);
        state.refusals.remove(address);
        state.ignored.remove(address);
    }

    /// Takes letters and does not say so until told to [`answer`](Self::answer).
    pub fn fall_silent(&self) {
        self.answers.send_replace(false);
    }

    /// Says of every letter that was taken meanwhile that it was taken.
    pub fn answer(&self) {
        self.answers.send_replace(true);
    }
}

impl Mail {
    /// The value of a header, on one line.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\n\n").next()?.replace("\n ", " ").replace("\n\t", " ");
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(its, _)| its.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(client: TcpStream, state: Arc<Mutex<State>>, mut may_answer: watch::Receiver<bool>) -> Option<()> {
    let (reader, mut writer) = client.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut from, mut to) = (String::new(), Vec::new());
    writer.write_all(b"220 inbox ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer = match line.to_ascii_uppercase().split([' ', ':']).next()? {
            "EHLO" | "HELO" => "250 inbox",
            "MAIL" => {
                from = address(&line);
                "250 go on"
            }
            "RCPT" if ignores(&state, &address(&line)) => {
                // Until the client has had enough.
                while lines.next_line().await.ok()?.is_some() {}
                return None;
            }
            "RCPT" => match refusal(&state, &address(&line)) {
                Some(answer) => answer,
                None => {
                    to.push(address(&line));
                    "250 go on"
                }
            },
            "DATA" => {
                writer.write_all(b"354 go on, and end with a full stop\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                lock(&state).mails.push(Mail { from: from.clone(), to: std::mem::take(&mut to), text });
                may_answer.wait_for(|may| *may).await.ok()?;
                "250 taken"
            }
            "RSET" => {
                to.clear();
                "250 forgotten"
            }
            "NOOP" => "250 nothing done",
            "QUIT" => "221 bye",
            _ => "500 what?",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inside, _)| inside);
    inside.unwrap_or_default().to_owned()
}

/// Whether this recipient is ignored; counts it.
fn ignores(state: &Mutex<State>, address: &str) -> bool {
    lock(state).ignored.get_mut(address).map(|times| *times += 1).is_some()
}

fn refusal(state: &Mutex<State>, address: &str) -> Option<&'static str> {
    let mut state = lock(state);
    let known = state.refusals.get(address).copied();
    known.or_else(|| state.refusals.remove(""))
}
