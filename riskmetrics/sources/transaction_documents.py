"""Transactions in documents: Flex queries of Interactive Brokers in XML, and OFX or QFX files.

Each record becomes a row with the columns of a table, so that both are interpreted alike.
"""

import io
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.transaction_securities import StatedRow

_FLEX_TAGS = ("Trade", "CashTransaction", "CorporateAction", "Transfer")
_SPLITS = ("FORWARDSPLIT", "REVERSESPLIT", "FORWARDSPLITISSUE")
_INTERNAL_JOURNALS = ("JRNLFUND", "JRNLSEC")
"""Transfers between the cash and margin parts of one account."""
_BANK_KINDS = {"INT": "interest", "DIV": "dividend", "FEE": "fee", "SRVCHG": "fee"}


class TransactionDocument(NamedTuple):
    """Content of a document."""

    layout: str
    evidence: str
    rows: list[StatedRow]


def is_document(data: bytes) -> bool:
    """Return whether data start like a Flex query in XML, OFX or QFX."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    is_ofx = head.startswith(b"OFXHEADER") or b"<OFX>" in head or b"<?OFX" in head
    return is_ofx or b"<FlexQueryResponse" in head


def read_document(path: Path, data: bytes) -> TransactionDocument:
    """Return the records of a document as rows.

    Raises
    ------
    DataQualityError
        If the document is damaged, declares entities, or has no transaction.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataQualityError(f"{path} declares a document type or entities. Export it again")
    if b"<FlexQueryResponse" in data[:4096]:
        rows, layout = list(_read_flex(path, data)), "Interactive Brokers Flex query (XML)"
    else:
        rows, layout = list(_read_ofx(path, data)), "OFX"
    if not rows:
        raise DataQualityError(
            f"{path} has no transaction. Export a period with transactions, and for a Flex query"
            " the sections Trades and Cash Transactions"
        )
    return TransactionDocument(layout, f"a list of transactions ({len(rows)} records)", rows)


def _make_row(raw: str, **cells: object) -> StatedRow:
    """Return a row with the texts of the cells that are not None."""
    texts = {name: _to_text(value) for name, value in cells.items() if value is not None}
    return StatedRow(None, raw[:500], {name: text for name, text in texts.items() if text})


def _to_text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _read_flex(path: Path, data: bytes) -> Iterator[StatedRow]:
    from ibflex import Types
    from ibflex.parser import FlexParserError, parse_data_element

    try:
        root = ET.XML(data)  # entities are refused above
        records = []
        for element in root.iter():
            if element.tag in _FLEX_TAGS and element.attrib:
                known = {one.name for one in fields(getattr(Types, element.tag))}
                plain = {name: text for name, text in element.attrib.items() if name in known}
                record: Any = parse_data_element(ET.Element(element.tag, plain))
                records.append((element.tag, record, str(element.attrib)))
    except (ET.ParseError, FlexParserError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(f"{path} is no readable Flex query: {reason}") from error
    has_details = {
        tag for tag, record, _ in records if getattr(record, "levelOfDetail", "") == "DETAIL"
    }
    for tag, record, raw in records:
        if tag in has_details and record.levelOfDetail != "DETAIL":
            continue  # the sum of the details
        yield _make_row(raw, **_common_cells(record) | _FLEX_READERS[tag](record))


def _common_cells(record: Any) -> dict[str, object]:
    return {
        "symbol": record.symbol,
        "identifier": record.isin,
        "description": record.description,
        "currency": record.currency,
        "account": record.accountId,
        "reference": record.transactionID,
        "investment_class": record.assetCategory,
        "option_right": record.putCall and record.putCall.value,
        "strike_price": record.strike,
        "expiration_date": record.expiry,
        "underlying_symbol": record.underlyingSymbol,
    }


def _trade_cells(trade: Any) -> dict[str, object]:
    is_exchange = trade.assetCategory is not None and trade.assetCategory.value == "CASH"
    return {
        "kind": trade.buySell,
        "kind_detail": None if is_exchange else trade.openCloseIndicator,
        "day": trade.tradeDate or trade.dateTime,
        "quantity": trade.quantity,
        "price": trade.tradePrice,
        "amount": trade.netCash,
        "commission": trade.ibCommission,
        "taxes": trade.taxes,
        "reference": trade.tradeID or trade.transactionID,
    }


def _cash_cells(record: Any) -> dict[str, object]:
    moment = record.dateTime or record.settleDate or record.reportDate
    day = moment.date() if isinstance(moment, datetime) else moment
    return {"kind": record.type, "day": day, "amount": record.amount}


def _action_cells(action: Any) -> dict[str, object]:
    kind = action.type.name if action.type else "corporate action"
    is_split = kind in _SPLITS
    if is_split and (action.symbol or "").endswith(".OLD"):
        kind, is_split = "memo", False  # the other row of a reverse split has the new shares
    moment = action.dateTime or action.reportDate
    return {
        "kind": "split" if is_split else kind,
        "day": moment.date() if isinstance(moment, datetime) else moment,
        # of a reverse split the new shares are stated, not the difference
        "quantity": None if kind == "REVERSESPLIT" else action.quantity,
        "amount": action.proceeds if not is_split else None,
    }


def _transfer_cells(transfer: Any) -> dict[str, object]:
    is_in = transfer.direction is None or transfer.direction.value == "IN"
    return {
        "kind": "transfer in" if is_in else "transfer out",
        "day": transfer.date or transfer.reportDate,
        "quantity": transfer.quantity,
        "amount": transfer.cashTransfer,
        "symbol": transfer.symbol if transfer.symbol not in ("", "--") else None,
    }


_FLEX_READERS = {
    "Trade": _trade_cells,
    "CashTransaction": _cash_cells,
    "CorporateAction": _action_cells,
    "Transfer": _transfer_cells,
}


def _read_ofx(path: Path, data: bytes) -> Iterator[StatedRow]:
    from ofxtools.header import OFXHeaderError
    from ofxtools.models.base import UnknownTagWarning
    from ofxtools.Parser import OFXTree, ParseError

    tree = OFXTree()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnknownTagWarning)  # a skipped tag can be a transaction
            tree.parse(io.BytesIO(data))
            document = tree.convert()
    except (
        UnknownTagWarning,
        ParseError,
        OFXHeaderError,
        ET.ParseError,
        ValueError,
        TypeError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(f"{path} is no readable OFX file: {reason}") from error
    securities = {one.secid.uniqueid: one for one in document.securities or ()}
    for statement in document.statements:
        if not hasattr(statement, "invtranlist"):
            raise DataQualityError(
                f"{path} is the statement of a bank account. Export the brokerage account"
            )
        account = statement.account.acctid
        for record in statement.transactions or ():
            for cells in _ofx_cells(record, securities):
                currency = cells.pop("currency", None) or statement.curdef
                yield _make_row(repr(record), account=account, currency=currency, **cells)


def _ofx_cells(record: Any, securities: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the cells of a record; a reinvestment is an income and a purchase."""
    tag = type(record).__name__
    if tag == "INVBANKTRAN":
        yield _bank_cells(record.stmttrn)
        return
    trade = getattr(record, "invbuy", None) or getattr(record, "invsell", None) or record
    cells: dict[str, Any] = {
        "day": _ofx_day(trade.invtran.dttrade),
        "reference": trade.invtran.fitid,
        "description": trade.invtran.memo,
    }
    if trade.invtran.reversalfitid:
        yield cells | {"kind": "reversal"}
        return
    if getattr(trade, "secid", None) is not None:
        cells |= _security_cells(trade.secid.uniqueid, securities)
    if getattr(trade, "currency", None) is not None:
        cells["currency"] = trade.currency.cursym
    yield from _ofx_terms(tag, record, trade, cells)


def _ofx_terms(
    tag: str, record: Any, trade: Any, cells: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the cells of an investment transaction with its kind and numbers."""
    if tag.startswith(("BUY", "SELL")):
        side = "BUY" if tag.startswith("BUY") else "SELL"
        names = ("buytype", "selltype", "optbuytype", "optselltype")
        kind = next((found for name in names if (found := getattr(record, name, None))), side)
        unsupported = {"investment_class": "bond"} if tag.endswith("DEBT") else {}
        yield cells | _trade_numbers(trade) | unsupported | {"kind": _OFX_KINDS.get(kind, kind)}
    elif tag == "REINVEST":
        reference = cells["reference"]
        total = abs(record.total)
        yield cells | {"kind": "dividend", "amount": total, "reference": f"{reference} income"}
        bought = {"quantity": abs(record.units), "price": record.unitprice, "amount": -total}
        yield cells | bought | {"kind": "buy", "reference": f"{reference} purchase"}
    elif tag == "INCOME":
        kind = "interest" if record.incometype == "INTEREST" else "dividend"
        yield cells | {"kind": kind, "amount": record.total}
    elif tag == "RETOFCAP":
        yield cells | {"kind": "dividend", "amount": record.total}
    elif tag in ("INVEXPENSE", "MARGININTEREST"):
        yield cells | {"kind": "fee", "amount": -abs(record.total)}
    elif tag == "SPLIT":
        yield cells | {"kind": "split", "ratio": f"{record.numerator:f}:{record.denominator:f}"}
    elif tag == "TRANSFER":
        yield cells | {"kind": f"transfer {record.tferaction}", "quantity": record.units}
    elif tag == "CLOSUREOPT":
        yield cells | {"kind": _OFX_KINDS[record.optaction], "quantity": record.units}
    elif tag in _INTERNAL_JOURNALS:
        yield cells | {"kind": "memo"}
    else:
        yield cells | {"kind": tag}


_OFX_KINDS = {
    "BUYTOCOVER": "buy to cover",
    "SELLSHORT": "sell short",
    "BUYTOOPEN": "buy to open",
    "BUYTOCLOSE": "buy to close",
    "SELLTOCLOSE": "sell to close",
    "SELLTOOPEN": "sell to open",
    "EXERCISE": "exercise",
    "ASSIGN": "assignment",
    "EXPIRE": "expiration",
}


def _trade_numbers(trade: Any) -> dict[str, Any]:
    """Return the numbers of a purchase or sale; fees that cost are negative."""
    costs = [getattr(trade, name, None) for name in ("commission", "fees", "load")]
    taxes = [getattr(trade, name, None) for name in ("taxes", "withholding")]
    return {
        "quantity": trade.units,
        "price": trade.unitprice,
        "amount": trade.total,
        "commission": -sum(filter(None, costs), Decimal(0)),
        "taxes": -sum(filter(None, taxes), Decimal(0)),
    }


def _bank_cells(record: Any) -> dict[str, Any]:
    kind = _BANK_KINDS.get(record.trntype)
    return {
        "kind": kind or ("deposit" if record.trnamt > 0 else "withdrawal"),
        "day": _ofx_day(record.dtposted),
        "amount": record.trnamt,
        "reference": record.fitid,
        "description": record.memo,
        "currency": record.currency.cursym if record.currency else None,
    }


def _security_cells(unique_id: str, securities: dict[str, Any]) -> dict[str, Any]:
    """Return symbol and option terms of a security; its identifier if it has no ticker."""
    security = securities.get(unique_id)
    if security is None:
        return {"identifier": unique_id}
    cells = {"symbol": security.ticker, "identifier": unique_id}
    if type(security).__name__ == "OPTINFO":
        underlying = securities.get(security.secid.uniqueid if security.assetclass else "")
        cells |= {
            "option_right": security.opttype,
            "strike_price": security.strikeprice,
            "expiration_date": _ofx_day(security.dtexpire),
            "underlying_symbol": getattr(underlying, "ticker", None),
        }
    if type(security).__name__ == "DEBTINFO":
        cells["investment_class"] = "bond"
    return cells


def _ofx_day(moment: datetime) -> date | datetime:
    """Return a day for a time stamp at midnight, which labels a day; else the time stamp."""
    is_label = (moment.hour, moment.minute) == (0, 0)
    return moment.date() if is_label else moment
