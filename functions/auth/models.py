"""What the auth routes take and answer."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from questlog.wire import Body, Instant, Query, ResponseModel, Row, Trimmed, absent

from functions.auth.settings import ProviderId

Role = Literal["user", "moderator", "admin"]


class Provider(ResponseModel):
    id: ProviderId
    name: str
    enabled: bool


class SignInQuery(Query):
    redirect_uri: str | None = None


class CallbackQuery(Query):
    code: str | None = None
    state: str | None = None
    error: str | None = None


class Attempt(Row):
    """A sign-in that was sent to the provider, as it is stored."""

    verifier: str
    nonce: str
    redirect: str


class Outcome(Row):
    """The outcome of a sign-in or a claim: the user, or why it was refused."""

    user_id: UUID
    refusal: Literal["AccessDenied", "wrong_key", "admin_exists"] | None


class AuthUser(ResponseModel):
    id: UUID
    email: str
    name: str
    image: str | None
    role: Role
    entitlements: list[str]
    age_verified: Annotated[bool, Field(serialization_alias="ageVerified")]
    tos_accepted: Annotated[bool, Field(serialization_alias="tosAccepted")]
    is_admin: bool


class Expiry(Row):
    """When the session of the request ends."""

    expires_at: Instant


class CurrentSession(ResponseModel):
    user: AuthUser | None = None
    expires_at: Instant | None = None


class Age(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"is_16_or_older": True}]})

    is_16_or_older: bool = absent()
    is_13_or_older: bool = absent()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is_16_or_older or is_13_or_older is needed")
        return self

    @property
    def confirmed(self) -> bool:
        """Whether neither of the two statements is false."""
        return all(self.changes().values())


class AgeVerified(ResponseModel):
    age_verified: Literal[True] = True
    minimum_age: int


def _agreed(value: bool) -> bool:
    if not value:
        raise ValueError("the terms have to be accepted")
    return value


class Terms(Body):
    accepted: Annotated[bool, AfterValidator(_agreed)]
    version: Annotated[str, StringConstraints(max_length=100)] | None = None
    is_16_or_older: bool = True


class TermsAccepted(ResponseModel):
    tos_accepted: Literal[True] = True
    tos_version: str
    tos_accepted_at: Instant


TokenScope = Literal["read", "write"]
"""What a session or token may do: only read, or change things too. A browser's session may always write."""


class Session(ResponseModel):
    id: UUID
    kind: Literal["browser", "token"]
    name: str | None
    scope: TokenScope
    current: bool
    created_at: Instant
    last_activity_at: Instant
    expires_at: Instant
    user_agent: str | None
    ip_address: str | None


class Sessions(ResponseModel):
    sessions: list[Session]


class NewToken(Body):
    name: Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]
    expires_in_days: Annotated[int, Field(ge=1, le=365)] = 90
    scope: TokenScope = "write"


class NewSession(Session):
    """A session that was just made, and whose it is."""

    user_id: UUID


class ApiToken(Session):
    token: str


class Revoked(ResponseModel):
    revoked: int


class RevokedOne(Row):
    """How many sessions ended, and whether the session of the request was among them."""

    revoked: int
    current: bool


class Standing(Row):
    """The caller, and whether they are an administrator or could become the first one."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    can_claim: bool


class AdminUser(ResponseModel):
    id: UUID
    email: str
    name: str


class AdminStatus(ResponseModel):
    is_admin: Annotated[bool, Field(serialization_alias="isAdmin")]
    can_claim: Annotated[bool, Field(serialization_alias="canClaim")]
    user: AdminUser


class AdminCheck(ResponseModel):
    is_admin: bool
    can_claim: bool


class Claim(Body):
    claim_key: Annotated[Trimmed, StringConstraints(min_length=1, max_length=1000), Field(alias="claimKey")]


class Claimed(ResponseModel):
    success: Literal[True] = True
    message: str
