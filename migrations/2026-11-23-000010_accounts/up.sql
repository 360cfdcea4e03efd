CREATE TABLE staff (
    id               bigserial PRIMARY KEY,
    email            text NOT NULL CONSTRAINT staff_email_length CHECK (length(email) BETWEEN 3 AND 254),
    role             text NOT NULL DEFAULT 'viewer' CONSTRAINT staff_role_known CHECK (role IN ('viewer', 'manager', 'owner')),
    password_hash    text NOT NULL CONSTRAINT staff_password_is_argon2id CHECK (password_hash LIKE '$argon2id$%'),
    disabled_at      timestamptz,
    last_sign_in_at  timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z'
                                      AND disabled_at >= '0001-01-01Z' AND disabled_at < '10000-01-01Z'
                                      AND last_sign_in_at >= '0001-01-01Z' AND last_sign_in_at < '10000-01-01Z')
);
CREATE UNIQUE INDEX staff_email_key ON staff (lower(email));

COMMENT ON TABLE staff IS 'Who runs the stores. Accounts are disabled, never deleted, so that the audit log keeps its names. Owned by the crate accounts.';
COMMENT ON COLUMN staff.role IS 'viewer reads, manager changes catalogue, stock and orders, owner also manages staff.';
COMMENT ON COLUMN staff.password_hash IS 'PHC string with its own parameters; made anew at sign-in when they have been raised.';
COMMENT ON COLUMN staff.disabled_at IS 'Since when this account opens nothing; null while it does.';

CREATE TABLE sessions (
    id            bigserial PRIMARY KEY,
    staff_id      bigint NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    secret_hash   bytea NOT NULL CONSTRAINT sessions_secret_hash_key UNIQUE
                        CONSTRAINT sessions_secret_hash_length CHECK (length(secret_hash) = 32),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_staff_id_idx ON sessions (staff_id);

COMMENT ON TABLE sessions IS 'Staff who are signed in, one row per browser; deleted when they sign out. Owned by the crate accounts.';
COMMENT ON COLUMN sessions.secret_hash IS 'SHA-256 of the 256 random bits in the cookie; the bits themselves are kept nowhere.';
COMMENT ON COLUMN sessions.last_used_at IS 'To the minute. A session ends half an hour after it, and eight hours after created_at whatever happens.';

CREATE TABLE sign_in_attempts (
    subject   text PRIMARY KEY,
    failures  integer NOT NULL CONSTRAINT sign_in_attempts_failures_not_negative CHECK (failures >= 0),
    last_at   timestamptz NOT NULL,
    open_at   timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_last_at_idx ON sign_in_attempts (last_at);

COMMENT ON TABLE sign_in_attempts IS 'Failed sign-ins, by account (known or not) and by address: each makes the next one wait longer, none for ever. Forgotten after a day; addresses that an account has signed in from, after a month. Owned by the crate accounts.';
COMMENT ON COLUMN sign_in_attempts.subject IS 'account:<e-mail in lower case>, address:<IP address>, or account:<e-mail> from <IP address> where the account has signed in from there.';
COMMENT ON COLUMN sign_in_attempts.open_at IS 'No attempt is looked at before this moment.';

CREATE TABLE tokens (
    id            bigserial PRIMARY KEY,
    staff_id      bigint NOT NULL REFERENCES staff (id),
    name          text NOT NULL CONSTRAINT tokens_name_length CHECK (length(name) BETWEEN 1 AND 100),
    prefix        text NOT NULL,
    secret_hash   bytea NOT NULL CONSTRAINT tokens_secret_hash_key UNIQUE
                        CONSTRAINT tokens_secret_hash_length CHECK (length(secret_hash) = 32),
    scopes        text[] NOT NULL CONSTRAINT tokens_scopes_not_null CHECK (array_position(scopes, NULL) IS NULL),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tokens_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z'
                                       AND expires_at >= '0001-01-01Z' AND expires_at < '10000-01-01Z'
                                       AND last_used_at >= '0001-01-01Z' AND last_used_at < '10000-01-01Z'
                                       AND revoked_at >= '0001-01-01Z' AND revoked_at < '10000-01-01Z')
);
CREATE INDEX tokens_staff_id_idx ON tokens (staff_id);

COMMENT ON TABLE tokens IS 'Keys to the API that staff have made for programs. Owned by the crate accounts.';
COMMENT ON COLUMN tokens.staff_id IS 'Who made it: a token never opens more than its maker''s role does, and ends with the account.';
COMMENT ON COLUMN tokens.prefix IS 'How the token begins, to tell one from another in lists.';
COMMENT ON COLUMN tokens.secret_hash IS 'SHA-256 of the token, which was shown once and is kept nowhere.';
COMMENT ON COLUMN tokens.scopes IS 'What it was made for. Names that are not known (any more) open nothing.';
COMMENT ON COLUMN tokens.last_used_at IS 'To the minute.';

CREATE TABLE audit_log (
    id           bigserial PRIMARY KEY,
    actor        text NOT NULL CONSTRAINT audit_log_actor_length CHECK (length(actor) BETWEEN 1 AND 500),
    staff_id     bigint REFERENCES staff (id),
    token_id     bigint REFERENCES tokens (id),
    action       text NOT NULL CONSTRAINT audit_log_action_length CHECK (length(action) BETWEEN 1 AND 100),
    object_kind  text COLLATE "C" NOT NULL CONSTRAINT audit_log_object_kind_length CHECK (length(object_kind) BETWEEN 1 AND 100),
    object_id    text COLLATE "C" NOT NULL CONSTRAINT audit_log_object_id_length CHECK (length(object_id) BETWEEN 1 AND 100),
    before       jsonb,
    after        jsonb,
    request_id   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_log_moments_legal CHECK (created_at >= '0001-01-01Z' AND created_at < '10000-01-01Z')
);
CREATE INDEX audit_log_object_idx ON audit_log (object_kind, object_id, created_at, id);
CREATE INDEX audit_log_newest_idx ON audit_log (created_at, id);

COMMENT ON TABLE audit_log IS 'Who changed what, committed with the change. Rows are only ever added. Owned by the crate accounts.';
COMMENT ON COLUMN audit_log.actor IS 'As it was called then: an e-mail address, with the token''s name where one was used, or the program.';
COMMENT ON COLUMN audit_log.object_kind IS 'category, product, store, inventory, order, staff, token …';
COMMENT ON COLUMN audit_log.object_id IS 'Its id; of a row of the inventory <store>/<product>.';
COMMENT ON COLUMN audit_log.before IS 'The object before the change; null when it was made.';
COMMENT ON COLUMN audit_log.after IS 'The object after the change; null when it was deleted.';
COMMENT ON COLUMN audit_log.request_id IS 'The request that did it, for the logs.';
