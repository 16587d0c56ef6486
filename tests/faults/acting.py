"""Somebody who acts beside the storm: in a thread of his own, until he is told to stop."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Acting(ABC):
    """What breaks him is raised in ``stop``."""

    stopping: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    @abstractmethod
    def act(self) -> None:
        """What he does until ``stopping`` is set."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let him finish; raises what broke him."""
        self.stopping.set()
        if hasattr(self, "_thread"):
            self._thread.join(30)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            self.act()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that stops him
            self.failure = error
