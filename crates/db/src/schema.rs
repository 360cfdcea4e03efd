//! Every table, as the migrations leave it. Held to the migrated database by a test.

diesel::table! {
    /// What a product is filed under.
    categories (id) {
        id -> BigInt,
        name -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// The catalogue, shared by all stores.
    products (id) {
        id -> BigInt,
        sku -> Nullable<Text>,
        title -> Text,
        description -> Text,
        category_id -> BigInt,
        price -> Numeric,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        title_key -> Text,
    }
}

diesel::table! {
    /// Who sells.
    stores (id) {
        id -> BigInt,
        name -> Text,
        location -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// What a store carries, and how many units it has.
    inventory (store_id, product_id) {
        store_id -> BigInt,
        product_id -> BigInt,
        quantity -> Integer,
    }
}

diesel::table! {
    /// Every movement of stock that is not an order.
    stock_adjustments (store_id, product_id, id) {
        id -> BigInt,
        store_id -> BigInt,
        product_id -> BigInt,
        delta -> Integer,
        reason -> Text,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// What was asked of a store, and what it answered.
    orders (store_id, id) {
        id -> BigInt,
        store_id -> BigInt,
        status -> Text,
        total_items -> BigInt,
        total_price -> Numeric,
        created_at -> Timestamptz,
        customer_email -> Nullable<Text>,
    }
}

diesel::table! {
    /// The lines of an order.
    order_items (store_id, order_id, line) {
        store_id -> BigInt,
        order_id -> BigInt,
        line -> Integer,
        product_id -> BigInt,
        quantity_requested -> Integer,
        unit_price -> Numeric,
        rejection -> Nullable<Text>,
        available -> Nullable<Integer>,
    }
}

diesel::table! {
    /// Whether the customer of a confirmed order was told.
    confirmations (store_id, order_id) {
        store_id -> BigInt,
        order_id -> BigInt,
        state -> Text,
        attempts -> Integer,
        sent_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// The answer given to each Idempotency-Key.
    idempotency_keys (store_id, client, key) {
        store_id -> BigInt,
        client -> Text,
        key -> Text,
        request_hash -> Bytea,
        order_id -> BigInt,
        answer -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Events whose tasks are not done yet.
    outbox (store_id, id) {
        id -> BigInt,
        store_id -> BigInt,
        kind -> Text,
        payload -> Jsonb,
        request_id -> Nullable<Text>,
        traceparent -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        available_at -> Timestamptz,
        worker -> Nullable<BigInt>,
        failures -> Integer,
        crashes -> Integer,
        last_error -> Nullable<Text>,
        parked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// What has changed of the catalogue and of what is in stock.
    search_changes (xid, id) {
        id -> BigInt,
        xid -> BigInt,
        kind -> Text,
        product_id -> Nullable<BigInt>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// What is gone from `search_changes`.
    search_log (id) {
        id -> BigInt,
        pruned_below -> BigInt,
        pruned_titles -> BigInt,
    }
}

diesel::table! {
    /// Who runs the stores.
    staff (id) {
        id -> BigInt,
        email -> Text,
        role -> Text,
        password_hash -> Text,
        disabled_at -> Nullable<Timestamptz>,
        last_sign_in_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Staff who are signed in.
    sessions (id) {
        id -> BigInt,
        staff_id -> BigInt,
        secret_hash -> Bytea,
        last_used_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Failed sign-ins, by account and by address.
    sign_in_attempts (subject) {
        subject -> Text,
        failures -> Integer,
        last_at -> Timestamptz,
        open_at -> Timestamptz,
    }
}

diesel::table! {
    /// Keys to the API that staff have made for programs.
    tokens (id) {
        id -> BigInt,
        staff_id -> BigInt,
        name -> Text,
        prefix -> Text,
        secret_hash -> Bytea,
        scopes -> Array<Text>,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// Who changed what.
    audit_log (id) {
        id -> BigInt,
        actor -> Text,
        staff_id -> Nullable<BigInt>,
        token_id -> Nullable<BigInt>,
        action -> Text,
        object_kind -> Text,
        object_id -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        request_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(products -> categories (category_id));
diesel::joinable!(inventory -> products (product_id));
diesel::joinable!(inventory -> stores (store_id));
diesel::joinable!(stock_adjustments -> products (product_id));
diesel::joinable!(orders -> stores (store_id));
diesel::joinable!(order_items -> products (product_id));
diesel::joinable!(sessions -> staff (staff_id));
diesel::joinable!(tokens -> staff (staff_id));

diesel::allow_tables_to_appear_in_same_query!(
    categories,
    products,
    stores,
    inventory,
    stock_adjustments,
    orders,
    order_items,
    confirmations,
);

diesel::allow_tables_to_appear_in_same_query!(staff, sessions, tokens);
