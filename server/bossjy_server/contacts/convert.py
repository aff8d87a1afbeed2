"""Conversion of contacts to messages of the contract."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.contacts.v1 import contact_pb2, contact_service_pb2
from bossjy.phone.v1 import number_pb2
from bossjy_server.contacts.contacts import Table
from bossjy_server.contacts.erase import Erasure
from bossjy_server.contacts.export import TYPE_NAMES
from bossjy_server.contacts.records import Contact
from bossjy_server.contacts.statements import Dimension

# libphonenumber's UNKNOWN; its other types are one below those of the contract.
_UNKNOWN = 99
_DIMENSIONS = {
    contact_pb2.STATS_DIMENSION_REGION: Dimension.REGION,
    contact_pb2.STATS_DIMENSION_NUMBER_TYPE: Dimension.NUMBER_TYPE,
    contact_pb2.STATS_DIMENSION_CARRIER: Dimension.CARRIER,
    contact_pb2.STATS_DIMENSION_CREATE_DAY: Dimension.CREATE_DAY,
    contact_pb2.STATS_DIMENSION_CREATED_IMPORT: Dimension.CREATED_IMPORT,
}


def contact(value: Contact) -> contact_pb2.Contact:
    """A contact as a message."""
    kind = number_pb2.NUMBER_TYPE_UNKNOWN
    if value.number_type != _UNKNOWN:
        kind = number_pb2.NumberType.ValueType(value.number_type + 1)
    return contact_pb2.Contact(
        phone_number=value.e164,
        region_code=value.region,
        number_type=kind,
        name=value.name,
        email=value.email,
        other_numbers=value.other_numbers,
        attributes=value.attributes,
        carrier=value.carrier,
        place=value.place,
        created_import_id=value.created_import_id,
        changed_import_id=value.changed_import_id,
        create_time=_time(value.create_time),
        update_time=_time(value.update_time),
        etag=value.etag,
        extension=value.extension,
    )


def dimension_from(value: contact_pb2.StatsDimension.ValueType) -> Dimension:
    """The dimension of a count."""
    return _DIMENSIONS[value]


def table(value: Table) -> contact_pb2.StatsTable:
    """The counts of one dimension as a message. A type is named as the contract names it, without its prefix."""
    by_type = value.dimension is Dimension.NUMBER_TYPE
    return contact_pb2.StatsTable(
        dimension=next(number for number, dimension in _DIMENSIONS.items() if dimension is value.dimension),
        buckets=[
            contact_pb2.StatsBucket(value=TYPE_NAMES[int(text)] if by_type else text, count=count)
            for text, count in value.buckets
        ],
        other_count=value.other_count,
    )


def erasure(value: Erasure) -> contact_service_pb2.EraseContactsResponse:
    """The record of an erasure as a message."""
    return contact_service_pb2.EraseContactsResponse(
        erasure_id=value.erasure_id,
        erased_count=value.erased_count,
        missing_count=value.missing_count,
        erase_time=_time(value.time),
    )


def _time(value: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp
