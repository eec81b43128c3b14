"""Several assets in one step: the failure of one stops its downstream assets only."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set

import dagster as dg

from riskmetrics.assets import failures
from riskmetrics.errors import root_cause


class BlockedError(Exception):
    """A blocking check failed, which its result reports: nothing else is wrong."""


AssetResult = dg.MaterializeResult[None] | dg.AssetCheckResult


def materialize_each(
    context: dg.AssetExecutionContext,
    upstream: Mapping[str, Iterable[str]],
    materialize: Callable[[str, Set[str]], Iterator[AssetResult]],
) -> Iterator[AssetResult]:
    """Materialize the assets of a step, and evaluate its checks, one after another.

    Parameters
    ----------
    upstream : mapping of str to iterable of str
        Names of the assets and checks in a valid order, with the names of the dependencies of each.
    materialize : callable
        Yields the results of an asset or check. It is called for each name, with the names that
        failed so far and all that follow from them; if it raises BlockedError, nothing downstream
        of the name is materialized.

    Raises
    ------
    Failure
        After all that could be materialized is, if something failed: a line for each cause.
    """
    stopped: set[str] = set()
    failed: dict[str, Exception] = {}
    for name, follows in upstream.items():
        if cause := stopped.intersection(follows):
            context.log.info(f"{name} is not computed: {', '.join(sorted(cause))} failed")
            stopped.add(name)
            continue
        try:
            yield from materialize(name, _with_downstream(stopped, upstream))
        except BlockedError:
            stopped.add(name)
        except Exception as error:  # noqa: BLE001  # raised below, after the other assets
            stopped.add(name)
            failed[name] = error
    if failed:
        raise dg.Failure("\n".join(_describe(failed))) from max(
            failed.values(), key=lambda error: failures.exit_code(root_cause(error))
        )


def _with_downstream(stopped: Set[str], upstream: Mapping[str, Iterable[str]]) -> set[str]:
    """Return ``stopped`` and the names that follow from them, directly or not."""
    found = set(stopped)
    for name, follows in upstream.items():
        if found.intersection(follows):
            found.add(name)
    return found


def _describe(failed: Mapping[str, Exception]) -> Iterator[str]:
    """Yield a line per message, with the names of the assets that failed with it."""
    names: dict[str, list[str]] = {}
    for name, error in failed.items():
        names.setdefault(failures.exception_message(error), []).append(name)
    for message, assets in names.items():
        yield f"{', '.join(assets)} failed: {message}"
