//! TLS to PostgreSQL: before the real server stands what speaks it, as the server would.

use std::path::Path;
use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use testkit::{address_of, database_url};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Bench, Run, run};

/// What a client sends first that wants TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Takes TLS connections on a free port of this machine, which is returned; its certificate, for `localhost` alone, is
/// written into `file`.
async fn secured(file: &Path) -> u16 {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(file, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut first = [0; 8];
                client.read_exact(&mut first).await.unwrap();
                assert_eq!(first, SSL_REQUEST, "nothing is said in the clear");
                client.write_all(b"S").await.unwrap();
                // A client that does not like the certificate ends it here.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(address_of(&database_url())).await.unwrap();
                _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

/// Seeds, which takes connections of the pool and those that copy, over `host:port`.
async fn seed(bench: &Bench, address: &str, roots: Option<&Path>) -> Run {
    let (url, _) = bench.database.url().split_once('?').unwrap_or((bench.database.url(), ""));
    let url = format!("{}?sslmode=require", url.replace(&address_of(url), address));
    let mut command = bench.command();
    command.env("DATABASE_URL", url).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    if let Some(roots) = roots {
        command.env("SSL_CERT_FILE", roots);
    }
    run(command.args(["seed", "--products", "20", "--stores", "2"]), b"").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_over_tls_where_it_is_required() {
    let bench = Bench::new().await;
    let roots = bench.folder.join("roots.pem");
    let port = secured(&roots).await;
    seed(&bench, &format!("localhost:{port}"), Some(&roots)).await.ok();
    assert_eq!(bench.number("SELECT count(*) FROM products").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_prove_who_it_is_gets_nothing() {
    let bench = Bench::new().await;
    let roots = bench.folder.join("roots.pem");
    let port = secured(&roots).await;
    let stranger = seed(&bench, &format!("localhost:{port}"), None).await;
    let other_name = seed(&bench, &format!("127.0.0.1:{port}"), Some(&roots)).await;
    for refused in [stranger, other_name] {
        assert_ne!(refused.status, 0);
        assert!(refused.err.contains("certificate"), "{refused:?}");
    }
    assert_eq!(bench.number("SELECT count(*) FROM products").await, 0);
}
