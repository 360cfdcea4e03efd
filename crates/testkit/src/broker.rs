//! Queues of its own for every test.

use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::Proxy;
use crate::names::{amqp_url, through, unique_name};

/// The real RabbitMQ, under a prefix that no other test has. Its queues are deleted with this value.
pub struct Broker {
    url: String,
    prefix: String,
    queues: Vec<String>,
    connection: Connection,
}

impl Broker {
    /// Connects. `queues` are the names, after the prefix and a dot, that the code under test will make.
    pub async fn new(queues: &[&str]) -> Self {
        let url = amqp_url();
        let prefix = unique_name("test");
        let queues = queues.iter().map(|name| format!("{prefix}.{name}")).collect();
        let connection = connect(&url).await;
        Self { url, prefix, queues, connection }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same through `proxy`, which must lead to the server.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        through(&self.url, proxy)
    }

    /// What the names of this test's queues begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many messages lie ready in a queue, by its name after the prefix; none if the queue does not exist.
    pub async fn ready(&self, queue: &str) -> Option<u32> {
        let channel = self.channel().await;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = channel.queue_declare(self.full(queue).into(), passive, FieldTable::default()).await;
        declared.ok().map(|queue| queue.message_count())
    }

    /// Puts a message into a queue.
    pub async fn publish(&self, queue: &str, body: &[u8], properties: BasicProperties) {
        let (channel, queue) = (self.channel().await, self.full(queue).into());
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), queue, options, body, properties).await.expect("a message can be published");
    }

    /// Takes a message out of a queue: its properties and body.
    pub async fn take(&self, queue: &str) -> Option<(BasicProperties, Vec<u8>)> {
        let (channel, queue) = (self.channel().await, self.full(queue).into());
        let message = channel.basic_get(queue, BasicGetOptions::default()).await.expect("the queue can be read")?;
        message.delivery.acker.ack(BasicAckOptions::default()).await.expect("the message can be acknowledged");
        Some((message.delivery.properties, message.delivery.data))
    }

    /// Deletes a queue and what lies in it.
    pub async fn delete(&self, queue: &str) {
        let (channel, queue) = (self.channel().await, self.full(queue).into());
        channel.queue_delete(queue, QueueDeleteOptions::default()).await.expect("the queue can be deleted");
    }

    fn full(&self, queue: &str) -> String {
        format!("{}.{queue}", self.prefix)
    }

    async fn channel(&self) -> Channel {
        self.connection.create_channel().await.expect("a channel can be opened")
    }
}

/// Deletes the queues on a thread with a runtime of its own, as `drop` cannot wait on the test's.
impl Drop for Broker {
    fn drop(&mut self) {
        let (url, queues) = (self.url.clone(), std::mem::take(&mut self.queues));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let connection = connect(&url).await;
                let channel = connection.create_channel().await.expect("a channel can be opened");
                for queue in queues {
                    _ = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
                }
                _ = connection.close(200, "OK".into()).await;
            });
        });
        _ = dropping.join();
    }
}

async fn connect(url: &str) -> Connection {
    let properties = ConnectionProperties::default().with_connection_name("test".into());
    Connection::connect(url, properties).await.expect("RabbitMQ answers: run the tests with `make test`")
}
