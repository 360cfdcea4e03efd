//! Who asks, when what connects to us may be a proxy.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use ipnet::IpNet;

use crate::links::PublicUrl;

/// The proxies whose word is taken about whom they speak for. Registered as app data; without it, none is trusted.
///
/// Read from addresses and networks with commas between them: `10.0.0.0/8, ::1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A word that is neither an address nor a network.
#[derive(Debug, thiserror::Error)]
#[error("{0} is neither an address nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl FromStr for TrustedProxies {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let network = |word: &str| match word.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address.to_canonical())),
            Err(_) => word.parse().map_err(|_| NotANetwork(word.to_owned())),
        };
        words.map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address; IPv4 is never written as IPv6. `None` where the connection has none.
    pub address: Option<IpAddr>,
    /// Whether it speaks TLS, to a proxy before us: `PUBLIC_URL` says so, or a trusted proxy does in
    /// `X-Forwarded-Proto`.
    pub is_secure: bool,
}

impl Client {
    pub(crate) fn of(
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
        trusted: &TrustedProxies,
        url: Option<&PublicUrl>,
    ) -> Self {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let is_proxied = peer.is_some_and(|peer| trusted.include(peer));
        let is_secure = match url {
            Some(PublicUrl(url)) => url.starts_with("https://"),
            None => is_proxied && last_word(headers, "x-forwarded-proto").is_some_and(|word| word == "https"),
        };
        let address = if is_proxied { peer.map(|peer| forwarded_for(peer, headers, trusted)) } else { peer };
        Self { address, is_secure }
    }
}

/// Each proxy adds, on the right, who connected to it. So from the right: the first whom we do not trust is the
/// client, and what stands left of it is the client's own word, which may be anything. A word that is no address ends
/// the walk at the proxy that let it through.
fn forwarded_for(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut client = peer;
    for word in words(headers, "x-forwarded-for").into_iter().rev() {
        let Some(address) = address(word) else { break };
        client = address;
        if !trusted.include(client) {
            break;
        }
    }
    client
}

/// All values of a header that is a list, over all its lines.
fn words<'a>(headers: &'a HeaderMap, name: &'static str) -> Vec<&'a str> {
    // A line that is no text stays as a word that is no address.
    headers.get_all(name).flat_map(|line| line.to_str().unwrap_or("?").split(',')).map(str::trim).collect()
}

/// What the nearest proxy says.
fn last_word<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    words(headers, name).pop()
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn address(word: &str) -> Option<IpAddr> {
    let bare = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(word);
    let address = bare.parse().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

/// Read from the request's extensions, where the middleware puts it.
impl FromRequest for Client {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().copied();
        ready(Ok(known.unwrap_or(Self { address: request.peer_addr().map(|peer| peer.ip()), is_secure: false })))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[(&'static str, &str)]) -> Client {
        let mut request = TestRequest::get();
        for line in lines {
            request = request.append_header(*line);
        }
        let request = request.to_http_request();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        Client::of(Some(peer), request.headers(), &trusted.parse().unwrap(), None)
    }

    fn asks(trusted: &str, peer: &str, forwarded_for: &[&str]) -> String {
        let lines: Vec<_> = forwarded_for.iter().map(|line| ("x-forwarded-for", *line)).collect();
        client(trusted, peer, &lines).address.unwrap().to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_header_is_anybodys_word() {
        assert_eq!(asks("", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(asks("10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(asks("0.0.0.0/0", "::1", &["198.51.100.7"]), "::1");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_that_is_not_trusted_asks() {
        let trusted = "10.0.0.0/8, ::1,2001:db8:f::/48";
        assert_eq!(asks(trusted, "10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(asks(trusted, "10.0.0.1", &["203.0.113.9,198.51.100.7,10.9.9.9"]), "198.51.100.7");
        assert_eq!(asks(trusted, "10.0.0.1", &["203.0.113.9", "198.51.100.7", "2001:db8:f::2"]), "198.51.100.7");
        assert_eq!(asks(trusted, "::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(asks(trusted, "10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(asks(trusted, "10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(asks(trusted, "10.0.0.1", &["198.51.100.7:80"]), "198.51.100.7");
        assert_eq!(asks(trusted, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "all of them are ours");
        assert_eq!(asks(trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_is_no_address_hides_nobody() {
        for made_up in ["", "unknown", "198.51.100.7 ", "198.51.100.7, x", "198.51.100.7, ", "1.2.3.4.5", "caf\u{e9}"] {
            let expected = if made_up == "198.51.100.7 " { "198.51.100.7" } else { "10.0.0.1" };
            assert_eq!(asks("10.0.0.0/8", "10.0.0.1", &[made_up]), expected, "{made_up:?}");
        }
        assert_eq!(asks("10.0.0.0/8", "10.0.0.1", &["198.51.100.7, nonsense, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn one_address_is_not_two_in_another_guise() {
        assert_eq!(asks("10.0.0.0/8", "::ffff:10.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
        assert_eq!(asks("::ffff:10.0.0.1", "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn tls_is_believed_of_those_who_can_know() {
        let proto = |trusted: &str, value| client(trusted, "10.0.0.1", &[("x-forwarded-proto", value)]).is_secure;
        assert!(proto("10.0.0.1", "https") && proto("10.0.0.1", "http, https"));
        assert!(!proto("10.0.0.1", "http") && !proto("10.0.0.1", "https, http") && !proto("", "https"));
        let headers = HeaderMap::new();
        for (url, is_secure) in [("https://shop.example", true), ("http://shop.example", false)] {
            let url = PublicUrl(url.into());
            assert_eq!(Client::of(None, &headers, &TrustedProxies::default(), Some(&url)).is_secure, is_secure);
        }
    }

    #[test]
    fn networks_are_told_from_other_words() {
        assert_eq!("".parse::<TrustedProxies>().unwrap(), TrustedProxies::default());
        for wrong in ["proxy", "10.0.0.0/33", "10.0.0", "*", "10.0.0.1;10.0.0.2"] {
            assert!(wrong.parse::<TrustedProxies>().is_err(), "{wrong}");
        }
    }
}
