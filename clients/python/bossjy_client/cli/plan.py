"""`bossjy plan`: the numbering plan, and the changes between its versions."""

from __future__ import annotations

from bossjy.phone.v1 import number_pb2, plan_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import enum_word
from bossjy_client.cli.session import Session


async def _show(session: Session) -> ExitCode:
    async with session.client() as client:
        plan = await client.phone.plan()
    if session.output.as_json:
        session.output.message(plan)
    else:
        session.output.pairs(
            (
                ("version", plan.metadata_version),
                ("regions", plan.region_count),
                ("calling codes", plan.calling_code_count),
                ("states", plan.state_count or None),
                ("table bytes", plan.table_bytes or None),
                ("can be compared", ", ".join(plan.comparable_versions)),
            )
        )
    return ExitCode.DONE


async def _diff(session: Session) -> ExitCode:
    args, output = session.args, session.output
    async with session.client() as client:
        answer = await client.phone.diff_plans(args.old, args.new, region_code=args.region.upper())
    if output.as_json:
        output.message(answer)
        return ExitCode.DONE
    versions = tr("{former} to {new}", former=answer.from_version, new=answer.to_version)
    if not answer.differences:
        output.note(tr("{versions}: no number changed", versions=versions))
        return ExitCode.DONE
    total = (tr("all"), "", "", answer.newly_valid_count, answer.newly_invalid_count, answer.retyped_count, "")
    heads = ("region", "code#", "type", "newly valid#", "newly invalid#", "retyped#", "for example")
    output.table(heads, [*map(_row, answer.differences), total], title=versions)
    return ExitCode.DONE


def _row(item: plan_pb2.PlanDifference) -> tuple[object, ...]:
    return (
        item.region_code,
        f"+{item.calling_code}",
        enum_word(number_pb2.NumberType.Name(item.type), "NUMBER_TYPE_"),
        item.newly_valid_count,
        item.newly_invalid_count,
        item.retyped_count,
        ", ".join(one.prefix.ljust(one.digits + 1, "x") for one in item.example_ranges[:2]),
    )
