//! A browser as far as the site needs one.

use accounts::{Accounts, Actor, Config, Email, Password, Role};
use db::Clock;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode, redirect};
use secrecy::SecretString;
use testkit::{TestApp, TestDatabase};
use url::form_urlencoded;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes an account with this role; returns its address.
pub(crate) async fn hire(app: &TestApp, role: Role) -> String {
    hire_in(&app.database, role).await
}

/// The same in any database.
pub(crate) async fn hire_in(database: &TestDatabase, role: Role) -> String {
    let email = format!("{role}@shop.example");
    let accounts = Accounts::new(database.handle(), Clock::system(), Config::default());
    let password = Password::parse(SecretString::from(PASSWORD), "").unwrap();
    accounts.add_staff(Actor::program("test"), Email::parse(&email).unwrap(), role, password).await.unwrap();
    email
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads.
    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// Where the link of this kind (`next`, `prev`) leads.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(&format!("rel=\"{rel}\" href=\""))?;
        Some(rest.split('"').next()?.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// What stands in a field that is typed into.
    pub(crate) fn typed(&self, name: &str) -> String {
        self.hidden(name).replace("&#35;", "#")
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    client: Client,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { app, client, cookie: None }
    }

    /// A browser in which a new member of staff with this role is signed in.
    pub(crate) async fn signed_in(app: &'a TestApp, role: Role) -> Self {
        let email = hire(app, role).await;
        let mut browser = Self::new(app);
        let entered = browser.submit("/admin/sign-in/", &[("email", &email), ("password", PASSWORD)]).await.expect(303);
        assert_eq!(entered.location(), "/admin/");
        browser
    }

    /// The cookie, as it is presented.
    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], None).await
    }

    /// Sends a form as a page of the site would.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(Method::POST, path, &[("sec-fetch-site", "same-origin")], Some(fields)).await
    }

    /// Sends a form with the token of this session.
    pub(crate) async fn act(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get("/admin/").await.expect(200).hidden("csrf");
        self.submit(path, &[fields, &[("csrf", &csrf)]].concat()).await
    }

    /// Opens a page, fills its form in and sends it.
    pub(crate) async fn fill(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(path).await.expect(200);
        let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
        self.submit(path, &[fields, &[("csrf", &csrf), ("seen", &seen)]].concat()).await
    }

    /// Sends a form with a file of these bytes.
    pub(crate) async fn upload(&mut self, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(b"--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n");
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--part--\r\n");
        self.send_raw(path, "multipart/form-data; boundary=part", body).await
    }

    /// Sends a body of any bytes.
    pub(crate) async fn send_raw(&mut self, path: &str, kind: &str, body: Vec<u8>) -> Page {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", kind)];
        self.exchange(Method::POST, path, &headers, Some(body)).await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: Option<&[(&str, &str)]>,
    ) -> Page {
        let body = form.map(|fields| form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        let kind = form.map(|_| ("content-type", "application/x-www-form-urlencoded"));
        let headers: Vec<_> = headers.iter().copied().chain(kind).collect();
        self.exchange(method, path, &headers, body.map(String::into_bytes)).await
    }

    async fn exchange(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Page {
        let mut request = self.client.request(method, format!("{}{path}", self.app.base()));
        let given = headers.iter().any(|(name, _)| *name == "cookie");
        if let Some(cookie) = self.cookie.as_ref().filter(|_| !given) {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        if let Some(cookie) = headers.get(SET_COOKIE) {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        Page { status, headers, text: answer.text().await.unwrap() }
    }
}
