"""Holdings that a file names by ISIN, CUSIP or name: their symbols, where they are known."""

import pandas as pd
import pyarrow as pa

from riskmetrics.sources.asset_classes import UNSUPPORTED_CLASSES, asset_class
from riskmetrics.sources.column_contents import MISSING_TEXTS
from riskmetrics.sources.option_terms import names_option
from riskmetrics.sources.row_validation import MAX_RESPELLINGS_NAMED, join_names
from riskmetrics.sources.security_identifiers import (
    KnownSymbols,
    StatedSecurity,
    has_wrong_check_digit,
    identifier_key,
    learn_symbols,
    resolve_identifiers,
)
from riskmetrics.sources.tabular_files import Table


def place_known_symbols(table: Table, known: KnownSymbols) -> tuple[Table, dict[str, str]]:
    """Replace identifiers and names in the place of symbols by the symbols that are known.

    Returns
    -------
    Table
        Table with the symbols. An identifier without a known symbol stays, also where the cell of
        the symbol is empty, so that its row is rejected by name.
    dict
        Symbols that the rows of the file state next to an identifier, by key of the identifier.
    """
    name = "symbol" if "symbol" in table.columns else "identifier"
    identifiers = table.text("identifier")
    stated = table.text(name)
    learned = _learn(table) if name == "symbol" else {}
    is_missing = stated.isin([*MISSING_TEXTS]) & identifiers.map(_is_identifier).astype(bool)
    texts = stated.mask(is_missing, identifiers)
    by_text = resolve_identifiers(texts, learned, known.look_up)
    by_name = {text.casefold(): symbol for text, symbol in known.mapped.items()}
    by_text |= {text: by_name[text.casefold()] for text in set(texts) if text.casefold() in by_name}
    symbols = texts.map(lambda text: by_text.get(text, text))
    notes = list(table.notes)
    replaced = dict.fromkeys(zip(texts[texts != symbols], symbols[texts != symbols], strict=True))
    notes += [f"{text} is read as {symbol}" for text, symbol in replaced][:MAX_RESPELLINGS_NAMED]
    is_wrong = identifiers.map(has_wrong_check_digit).astype(bool) & (identifiers != texts)
    if is_wrong.any():
        names = join_names(identifiers[is_wrong])
        notes.append(f"identifiers with a wrong check digit are not used: {names}")
    if (symbols == stated).all():
        return table._replace(notes=notes), learned
    column = pa.chunked_array([pa.array(symbols.tolist(), pa.string())])
    return table._replace(columns={**table.columns, name: column}, notes=notes), learned


def _is_identifier(text: str) -> bool:
    return identifier_key(text) is not None


def _learn(table: Table) -> dict[str, str]:
    """Return the symbols of shares and funds that stand next to an identifier."""
    classes = table.text("investment_class").map(asset_class)
    is_share = ~classes.isin([*UNSUPPORTED_CLASSES, "option", "cash"])
    is_share &= ~table.text("description").map(names_option).astype(bool)
    frame = pd.DataFrame({name: table.text(name) for name in ("symbol", "identifier", "currency")})
    rows = frame[is_share & (frame["identifier"] != "")]
    return learn_symbols(map(StatedSecurity._make, rows.itertuples(index=False)))
