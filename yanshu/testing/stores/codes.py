"""How codes are read here."""

# ruff: noqa: S101  # it is a test suite

from yanshu.domain.codes import CodeOverride
from yanshu.domain.outcomes import OutcomeClass
from yanshu.ports.store import Store
from yanshu.testing.clocks import FakeClock
from yanshu.testing.samples import changed


class CodeSuite:
    """See the module."""

    async def test_an_override_is_kept_replaced_and_removed(self, store: Store, clock: FakeClock) -> None:
        """By carrier and code; every write makes a new revision."""
        one = CodeOverride(carrier="cmcc", code="MK:0001", outcome=OutcomeClass.SUSPENDED, updated_at=clock.now(), note="在本省是停机")
        other = CodeOverride(carrier="con_one", code="MK:0001", outcome=OutcomeClass.PORTED, updated_at=clock.now())
        revisions = []
        for override in (other, one, changed(one, note=None)):
            async with store.write() as uow:
                await uow.codes.save(override)
                await uow.commit()
            async with store.read() as uow:
                revisions.append(await uow.codes.revision())
        async with store.read() as uow:
            assert await uow.codes.all() == [changed(one, note=None), other]
        async with store.write() as uow:
            assert [await uow.codes.remove("cmcc", code) for code in ("MK:0001", "MK:0001", "none")] == [True, False, False]
            await uow.commit()
        async with store.read() as uow:
            assert await uow.codes.all() == [other]
            revisions.append(await uow.codes.revision())
        async with store.write() as uow:
            await uow.codes.forget("con_one")
            await uow.commit()
        async with store.read() as uow:
            assert await uow.codes.all() == []
            revisions.append(await uow.codes.revision())
        assert revisions == sorted(set(revisions))

    async def test_all_overrides_are_replaced_at_once(self, store: Store, clock: FakeClock) -> None:
        """By others, and by none."""
        rows = [CodeOverride(carrier="any", code=f"X{n}", outcome=OutcomeClass.PARAM, updated_at=clock.now()) for n in range(3)]
        for wanted in (rows[:2], rows[1:], []):
            async with store.write() as uow:
                await uow.codes.replace(wanted)
                await uow.commit()
            async with store.read() as uow:
                assert await uow.codes.all() == wanted
