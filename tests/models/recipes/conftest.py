import pytest

from models.recipes import painted


@pytest.fixture
def painted_here(monkeypatch) -> list[int]:
    """Scenes are painted in this process; the list grows by the start of each chunk that is."""
    starts = []

    class Here:
        """An executor that works at once."""

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def submit(self, work, *given):
            starts.append(given[-1])
            work(*given)
            return self

        def result(self):
            return None

    monkeypatch.setattr(painted, "ProcessPoolExecutor", lambda _workers: Here())
    return starts
