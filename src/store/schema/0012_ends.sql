-- Redirects that end at a refusal are found from their end (src/store/notices.rs).

CREATE INDEX redirect_target ON redirect (target);
