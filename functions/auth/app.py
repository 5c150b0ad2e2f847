"""Signing in through OpenID Connect, sessions, consent, and the claim of the first administrator (platform contract,
section 4).

A sign-in needs two trips to the database, because the provider is asked between reading the state and writing the
session. All other routes here make one.
"""

import hashlib
import secrets
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from aws_lambda_powertools import Logger
from starlette.requests import Request
from starlette.responses import RedirectResponse

from questlog import identity
from questlog.api import Api, Reply
from questlog.db import Db
from questlog.errors import Conflict, Failure, Forbidden, Interrupted, Invalid
from questlog.identity import BROWSER, SESSION, Client, Cookie, Token, new_secret, secret_hash
from questlog.settings import settings
from questlog.wire import Success

from functions.auth import provider as openid
from functions.auth import rules
from functions.auth.models import (
    AdminCheck,
    AdminStatus,
    AdminUser,
    Age,
    AgeVerified,
    ApiToken,
    Attempt,
    AuthUser,
    CallbackQuery,
    Claim,
    Claimed,
    CurrentSession,
    Expiry,
    NewSession,
    NewToken,
    Outcome,
    Provider,
    Revoked,
    RevokedOne,
    Session,
    Sessions,
    SignInQuery,
    Standing,
    Terms,
    TermsAccepted,
)
from functions.auth.rules import ErrorCode, Person, SignInFailed
from functions.auth.settings import PROVIDER_NAMES, ProviderId, Registration, ascii_lower, auth_settings

api = Api(__file__)
_log: Final = Logger(service="auth")

# A browser may have several sign-ins under way, in tabs beside each other. Beyond this many the oldest is given up.
MOST_STATES: Final = 5
STATE_LIFETIME: Final = timedelta(minutes=10)
NO_STORE: Final = {"Cache-Control": "no-store"}


# Signing in ----------------------------------------------------------------------------------------------------------


@api.get("/auth/providers", requires=None, envelope=False)
def providers() -> list[Provider]:
    """List the providers, and whether each of them is configured here."""
    registrations = auth_settings().registrations
    return [Provider(id=key, name=name, enabled=key in registrations) for key, name in PROVIDER_NAMES.items()]


@api.get("/auth/signin/{provider}", requires=None, errors={429: ["rate_limited"]})
def sign_in(request: Request, db: Db, client: Client, provider: ProviderId, query: SignInQuery) -> RedirectResponse:
    """Send the browser to the provider, and afterwards to `redirect_uri`, which must be the front end's."""
    registration = auth_settings().registrations.get(provider)
    if registration is None:
        return _error_page(request, provider, "OAuthNotConfigured")
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    db.one(
        Success,
        "open_state",
        network=rules.source_network(client.ip_address or ""),
        attempts=auth_settings().attempts_per_minute,
        state_hash=rules.state_hash(state),
        provider=provider,
        verifier=verifier,
        nonce=nonce,
        redirect=rules.destination(query.redirect_uri, auth_settings().frontend_url, settings().allowed_origins),
    )
    try:
        endpoint = openid.discover(registration).authorization_endpoint
    except SignInFailed as failed:
        return _error_page(request, provider, failed.code)
    url = rules.authorize_url(
        endpoint, registration, redirect_uri=_callback_url(provider), state=state, nonce=nonce, verifier=verifier
    )
    given_up = rules.oldest_states(request.cookies, keep=MOST_STATES - 1)
    return _redirect(
        url,
        Cookie(rules.state_cookie(state), state, STATE_LIFETIME),
        *(Cookie(name, "", timedelta()) for name in given_up),
    )


@api.get("/auth/google", requires=None, errors={429: ["rate_limited"]})
def sign_in_with_google(request: Request, db: Db, client: Client, query: SignInQuery) -> RedirectResponse:
    """The same as /auth/signin/google."""
    return sign_in(request, db, client, "google", query)


@api.get("/auth/azure", requires=None, errors={429: ["rate_limited"]})
def sign_in_with_azure(request: Request, db: Db, client: Client, query: SignInQuery) -> RedirectResponse:
    """The same as /auth/signin/azure."""
    return sign_in(request, db, client, "azure", query)


@api.get("/auth/callback/{provider}", requires=None, errors={429: ["rate_limited"]})
def callback(request: Request, db: Db, client: Client, provider: ProviderId, query: CallbackQuery) -> RedirectResponse:
    """The provider sends the browser back to here: with a code, which becomes a session, or with an error.

    1. The state is deleted, so that it works once. It counts only for the browser that has it in its cookie.
    2. The code is redeemed for an ID token, whose claims say who this is.
    3. The user is found or made, the old session ended, the new one begun, all in one transaction.
    """
    _require_answer(query)
    state = query.state or ""
    cookie = rules.state_cookie(state)
    ours = rules.same(request.cookies.get(cookie, ""), state)
    attempt = db.maybe(
        Attempt,
        "take_state",
        network=rules.source_network(client.ip_address or ""),
        attempts=auth_settings().attempts_per_minute,
        state_hash=rules.state_hash(state if ours else ""),
        provider=provider,
    )
    used = [Cookie(cookie, "", timedelta())] if ours else []
    if attempt is None and _has_session(request):
        # The callback was opened again, by the back button or a reload: the sign-in it belongs to has succeeded.
        return _redirect(rules.destination(None, auth_settings().frontend_url, settings().allowed_origins), *used)
    try:
        registration, attempt, code = _answered(provider, attempt, query)
        person = _person(registration, attempt, code)
    except SignInFailed as failed:
        details = {"provider": provider, "code": failed.code}
        db.one(Success, "note_failure", client=client._asdict(), details=details)
        return _error_page(request, provider, failed.code, *used)
    token = _new_session(db, client, provider, person, identity.cookie_token(request) or identity.NO_TOKEN)
    if token is None:
        return _error_page(request, provider, "AccessDenied", *used)
    return _redirect(attempt.redirect, _session_cookie(token), *used)


def _require_answer(query: CallbackQuery) -> None:
    """Raise Invalid for a callback that is no answer of a provider: without an error, it has a code and a state."""
    if query.error is None:
        sent = {"code": query.code, "state": query.state}
        missing = [(name, "is required") for name, value in sent.items() if value is None]
        if missing:
            raise Invalid(missing)


def _new_session(db: Db, client: Client, provider: ProviderId, person: Person, former: Token) -> Token | None:
    """Sign a person in, and end their former session. Returns the new session's token; None if they may not sign in."""
    secret = new_secret()
    outcome = db.one(
        Outcome,
        "sign_in",
        who={"provider": provider, **asdict(person)},
        promote=ascii_lower(person.email) in auth_settings().admin_emails,
        new_hash=secret_hash(secret),
        lifetime=auth_settings().session_lifetime,
        former_user=former.user_id,
        former_hash=secret_hash(former.secret),
        client=client._asdict(),
    )
    return Token(outcome.user_id, secret) if outcome.refusal is None else None


def _has_session(request: Request) -> bool:
    """Whether the browser that makes the request is signed in."""
    token = identity.cookie_token(request)
    return token is not None and _opens_a_session(token)


def _opens_a_session(token: Token) -> bool:
    try:
        Db(api.queries, [identity.authenticate_by(token, SESSION)], repeatable=True).authenticate_only()
    except Failure as failure:
        if failure.status != 401:
            raise
        return False
    return True


def _answered(provider: ProviderId, attempt: Attempt | None, query: CallbackQuery) -> tuple[Registration, Attempt, str]:
    """The stored sign-in that a provider's answer belongs to. Raises SignInFailed for a refusal or an unknown state."""
    registration = auth_settings().registrations.get(provider)
    if registration is None:
        raise SignInFailed("OAuthNotConfigured")
    if query.error is not None:
        raise SignInFailed("AccessDenied" if query.error == "access_denied" else "OAuthCallback")
    if attempt is None or query.code is None:
        raise SignInFailed("OAuthCallback")
    return registration, attempt, query.code


def _person(registration: Registration, attempt: Attempt, code: str) -> Person:
    """The person whom the provider identifies by the code."""
    token = openid.redeem(registration, code, attempt.verifier, _callback_url(registration.id))
    issuer = openid.discover(registration).issuer
    return rules.person_of(token, registration, issuer, attempt.nonce, time.time())


def _callback_url(provider: ProviderId) -> str:
    return f"{settings().public_url}/auth/callback/{provider}"


def _error_page(request: Request, provider: ProviderId, code: ErrorCode, *cookies: Cookie) -> RedirectResponse:
    """Redirect to the front end's page for a failed sign-in. The reason is logged, since the gateway sees no error."""
    _log.warning("sign-in failed", provider=provider, code=code, request_id=request.scope["questlog.request_id"])
    asked = urlencode({"error": code, "provider": provider})
    return _redirect(f"{auth_settings().frontend_url}/auth/error?{asked}", *cookies)


def _redirect(url: str, *cookies: Cookie) -> RedirectResponse:
    response = RedirectResponse(url, 302, NO_STORE)
    for cookie in cookies:
        cookie.set_on(response)
    return response


def _session_cookie(token: Token) -> Cookie:
    return identity.session_cookie(token, auth_settings().session_lifetime)


# Being signed in -----------------------------------------------------------------------------------------------------


def _as_caller(request: Request) -> Db:
    """The database as the signed-in caller sees it, on a public route."""
    repeatable = request.method in identity.SAFE_METHODS
    return Db(api.queries, [identity.authenticate(request, SESSION)], repeatable=repeatable)


@api.get("/auth/session", requires=None, envelope=False)
def session(request: Request) -> Reply[CurrentSession]:
    """Return who is signed in, or null; never 401. A cookie that opens no session any more is removed."""
    if identity.presented_token(request) is None:
        return Reply(CurrentSession(), headers=NO_STORE)
    try:
        user, expiry = _as_caller(request).each((AuthUser, Expiry), "session", terms=settings().tos_version)
    except Failure as failure:
        # 404: the user was deleted after this request had been authenticated.
        if failure.status not in (401, 404):
            raise
        dead = identity.cookie_token(request) == identity.presented_token(request)
        return Reply(CurrentSession(), cookies=(identity.cleared_cookie(),) if dead else (), headers=NO_STORE)
    return Reply(CurrentSession(user=user, expires_at=expiry.expires_at), headers=NO_STORE)


@api.get("/auth/me", requires=SESSION, envelope=False)
def me(db: Db) -> AuthUser:
    """Return the user who makes the request."""
    return db.one(AuthUser, "me", terms=settings().tos_version)


@api.post("/auth/signout", requires=None, errors={403: ["forbidden"]})
@api.post("/auth/logout", requires=None, errors={403: ["forbidden"]})
def sign_out(request: Request, client: Client) -> Reply[Success]:
    """End the session of the request, if it has one. An API token of scope read ends nothing: 403 forbidden."""
    if identity.presented_token(request) is not None:
        try:
            _as_caller(request).maybe(Success, "sign_out", client=client._asdict())
        except Failure as failure:
            if failure.status != 401:
                raise
    return Reply(Success(), cookies=(identity.cleared_cookie(),), headers=NO_STORE)


@api.post("/auth/verify-age", requires=SESSION, errors={403: ["age_verification_required"]})
def verify_age(db: Db, client: Client, body: Age) -> AgeVerified:
    """Confirm being old enough; a denial is 403 and stores nothing."""
    minimum = auth_settings().minimum_age
    return db.one(AgeVerified, "verify_age", confirmed=body.confirmed, minimum_age=minimum, client=client._asdict())


@api.post(
    "/auth/accept-tos",
    requires=SESSION,
    errors={403: ["age_verification_required"], 409: ["tos_version_mismatch"]},
)
def accept_tos(db: Db, client: Client, body: Terms) -> TermsAccepted:
    """Accept the current terms, and with them the age they state; another version is 409 tos_version_mismatch."""
    return db.one(
        TermsAccepted,
        "accept_tos",
        version=body.version,
        old_enough=body.is_16_or_older,
        minimum_age=auth_settings().minimum_age,
        terms=settings().tos_version,
        terms_state_age=auth_settings().terms_state_age,
        client=client._asdict(),
    )


# Sessions and API tokens ---------------------------------------------------------------------------------------------


@api.get("/auth/sessions", requires=SESSION)
def sessions(db: Db) -> Sessions:
    """List the user's live sessions and API tokens, the most recently active first."""
    return Sessions(sessions=db.many(Session, "sessions", idle=settings().session_idle))


@api.post("/auth/sessions", requires=BROWSER, store_response=False, errors={409: ["too_many_tokens"]})
def add_token(db: Db, client: Client, body: NewToken) -> ApiToken:
    """Make an API token, which only this answer shows. One of scope read may only GET. 409 too_many_tokens at 20."""
    secret = new_secret()
    made = db.one(
        NewSession,
        "add_token",
        id=uuid4(),
        token_hash=secret_hash(secret),
        name=body.name,
        scope=body.scope,
        lifetime=timedelta(days=body.expires_in_days),
        client=client._asdict(),
    )
    return ApiToken(token=str(Token(made.user_id, secret)), **made.model_dump(exclude={"user_id"}))


@api.delete("/auth/sessions/{session_id}", requires=BROWSER)
def revoke(db: Db, client: Client, session_id: UUID) -> Reply[Revoked]:
    """End a session or token of the user's own."""
    ended = db.one(RevokedOne, "revoke", session_id=session_id, client=client._asdict())
    return Reply(Revoked(revoked=ended.revoked), cookies=(identity.cleared_cookie(),) if ended.current else ())


@api.delete("/auth/sessions", requires=BROWSER)
def revoke_others(db: Db, client: Client) -> Revoked:
    """End every other session and token of the user."""
    return db.one(Revoked, "revoke_others", client=client._asdict())


# The first administrator ---------------------------------------------------------------------------------------------


@api.get("/admin-access/status", requires=BROWSER, envelope=False)
def admin_status(db: Db) -> AdminStatus:
    """Return whether the user is an administrator, or could claim to be the first."""
    standing = db.one(Standing, "admin_status", claimable=_claimable())
    user = AdminUser(id=standing.id, email=standing.email, name=standing.name)
    return AdminStatus(is_admin=standing.is_admin, can_claim=standing.can_claim, user=user)


@api.get("/admin-access/check", requires=BROWSER, envelope=False)
def admin_check(db: Db) -> AdminCheck:
    """The same as /admin-access/status, without the user."""
    return db.one(AdminCheck, "admin_status", claimable=_claimable())


@api.post(
    "/admin-access/claim",
    requires=BROWSER,
    envelope=False,
    store_response=False,
    errors={409: ["admin_exists"], 429: ["rate_limited"]},
)
def claim(request: Request, db: Db, client: Client, body: Claim) -> Reply[Claimed]:
    """Become the first administrator with the claim key; the session's token changes.

    No answer is stored under an Idempotency-Key: a refusal has to leave its count and its audit row behind.
    """
    digest = auth_settings().claim_key_digest or b""
    token = Token((identity.presented_token(request) or identity.NO_TOKEN).user_id, new_secret())
    try:
        outcome = db.one(
            Outcome,
            "claim",
            key_is_right=secrets.compare_digest(hashlib.sha256(body.claim_key.encode()).digest(), digest),
            new_hash=secret_hash(token.secret),
            client=client._asdict(),
        )
    except Interrupted:
        # If only the answer of a successful claim was lost, the browser needs the new token: the old one is not valid.
        if not _opens_a_session(token):
            raise
        return _claimed(token)
    if outcome.refusal == "wrong_key":
        raise Forbidden("This key does not open anything.")
    if outcome.refusal == "admin_exists":
        raise Conflict("admin_exists", "There is an administrator already.")
    return _claimed(Token(outcome.user_id, token.secret))


def _claimed(token: Token) -> Reply[Claimed]:
    return Reply(Claimed(message="You are an administrator now."), cookies=(_session_cookie(token),))


def _claimable() -> bool:
    return auth_settings().claim_key_digest is not None


auth_settings()
handler = api.handler
