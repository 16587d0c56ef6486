-- name: user
SELECT * FROM users WHERE name = :name;

-- name: users
SELECT name, role, created_at, disabled_at FROM users ORDER BY name;

-- name: add_user
INSERT INTO users (name, role, password, created_at, disabled_at) VALUES (:name, :role, :password, :created_at, NULL)
ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, disabled_at = NULL;

-- name: add_token
INSERT INTO tokens (digest, name, role, created_at, revoked_at) VALUES (:digest, :name, :role, :created_at, NULL);

-- name: token
SELECT * FROM tokens WHERE digest = :digest AND revoked_at IS NULL;

-- name: tokens
SELECT name, role, created_at, revoked_at FROM tokens ORDER BY created_at;

-- name: revoke_tokens
UPDATE tokens SET revoked_at = :revoked_at WHERE name = :name AND revoked_at IS NULL;
