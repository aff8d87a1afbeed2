"""Contacts to messages of the contract."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from bossjy.contacts.v1 import contact_pb2
from bossjy.phone.v1 import number_pb2
from bossjy_server.contacts.records import Contact

# libphonenumber's UNKNOWN; its other types are one below those of the contract.
_UNKNOWN = 99


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
        created_import_id=value.created_import_id,
        changed_import_id=value.changed_import_id,
        create_time=_time(value.create_time),
        update_time=_time(value.update_time),
        etag=value.etag,
    )


def _time(value: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp
