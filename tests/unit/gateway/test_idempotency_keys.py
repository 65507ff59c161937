"""The Idempotency-Key: the same key and body, the same answer."""

from __future__ import annotations

from tests.unit.gateway.builders import Gateway, refused


async def test_the_same_key_and_body_get_the_same_answer(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    first = await gateway.statement("discharges", headers)
    second = await gateway.statement("discharges", headers)

    assert (second.status_code, second.content) == (first.status_code, first.content) == (201, first.content)
    assert gateway.publisher.batches == 1


async def test_a_refusal_is_kept_too(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    first = await gateway.statement("discharges", headers, status="gone")
    second = await gateway.statement("discharges", headers, status="gone")

    assert (second.status_code, second.content) == (422, first.content)


async def test_the_same_key_with_another_body_is_refused(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    await gateway.statement("discharges", headers)

    answer = await gateway.statement("discharges", headers, unit="another")

    assert refused(answer) == (422, "idempotency_key_reused", "Idempotency-Key")


async def test_another_client_may_use_the_same_key(gateway: Gateway) -> None:
    await gateway.statement("discharges", gateway.token() | {"idempotency-key": "k-1"})

    other = gateway.token(name="region-m") | {"idempotency-key": "k-1"}
    assert (await gateway.statement("discharges", other)).status_code == 201


async def test_an_answer_of_unavailable_is_not_kept(gateway: Gateway) -> None:
    headers = gateway.token() | {"idempotency-key": "k-1"}
    gateway.publisher.reachable = False
    await gateway.statement("discharges", headers)
    gateway.publisher.reachable = True

    assert (await gateway.statement("discharges", headers)).status_code == 201


async def test_a_key_that_is_none_is_refused(gateway: Gateway) -> None:
    answer = await gateway.statement("discharges", gateway.token() | {"idempotency-key": "k" * 256})

    assert refused(answer) == (400, "wrong_form", "Idempotency-Key")
