"""Who gets the next case. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody at the desk who is online and available, and how many conversations they have."""

    user_id: UUID
    languages: Sequence[str]
    open: int


def plain_language(language: str) -> str:
    """`bn-BD` is answered by whoever speaks `bn`."""
    return language.replace("_", "-").split("-", 1)[0].lower()


def choose_agent(language: str, agents: Iterable[Agent]) -> UUID | None:
    """Of those who speak the language whoever has least to do; ties go to the older account; None when nobody does."""
    wanted = plain_language(language)
    fitting = [agent for agent in agents if wanted in {plain_language(spoken) for spoken in agent.languages}]
    return min(fitting, key=lambda agent: (agent.open, agent.user_id)).user_id if fitting else None
