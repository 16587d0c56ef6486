"""Whom a connection believes and how it proves itself: TLS and a password, the same for every source that connects."""

import os
import ssl

from pydantic import BaseModel, ConfigDict, Field, FilePath, model_validator

from dispatcher.errors import ConfigurationError, Problem


class LoginSettings(BaseModel):
    """The part of a source's settings that is about trust. The password itself is never in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="What positions, rejects and figures of this source are filed under. Keep it once it is in use.")
    tls: bool = Field(default=False, description="Speak TLS and check the server's certificate.")
    ca_file: FilePath | None = Field(default=None, description="Certificates to trust instead of the system's.")
    cert_file: FilePath | None = Field(default=None, description="Our own certificate, where the server asks for one.")
    key_file: FilePath | None = Field(default=None, description="The key of our certificate, when it is not in the same file.")
    username: str | None = Field(default=None, description="User at the server.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the password.")

    @model_validator(mode="after")
    def _together(self) -> "LoginSettings":
        if self.password_env and self.username is None:
            raise ValueError("password_env without username; allowed: both or neither")
        if (self.ca_file or self.cert_file or self.key_file) and not self.tls:
            raise ValueError("ca_file, cert_file or key_file without tls: true; allowed: set tls: true as well")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file without cert_file; allowed: both, or cert_file alone")
        return self


def password(settings: LoginSettings) -> str | None:
    """The password of the environment; ConfigurationError when its variable is named and not set."""
    if settings.password_env is None:
        return None
    found = os.environ.get(settings.password_env)
    if found is None:
        what = f"source {settings.name!r}: password_env names {settings.password_env}, which is not set; allowed: a variable that is"
        raise ConfigurationError([Problem("environment", what)])
    return found


def tls_context(settings: LoginSettings) -> ssl.SSLContext | None:
    """What TLS needs, or None without it; the system's authorities unless ``ca_file`` names others."""
    if not settings.tls:
        return None
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
