"""One process of the platform: its stages wired, started in order and stopped in reverse."""

from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from yanshu import __version__
from yanshu.adapters.channels.http import AiohttpPoster
from yanshu.adapters.stores import open_store
from yanshu.app.binds import Reception
from yanshu.app.callbacks import Callbacks
from yanshu.app.carriers import Making, check_connector, make_carrier
from yanshu.app.http import Listener
from yanshu.app.lookups import open_register
from yanshu.app.stores import migrated, patiently
from yanshu.domain import ids
from yanshu.domain.connectors import Connector
from yanshu.edge.api.app import build_app
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.schemas.objects import show_object
from yanshu.edge.api.services import Sandbox, Services
from yanshu.pipeline.accept import Accepter
from yanshu.pipeline.batch_runner import BatchRunner
from yanshu.pipeline.batches import Batches
from yanshu.pipeline.causes import Causes
from yanshu.pipeline.check import Checker
from yanshu.pipeline.codebook import Codebook
from yanshu.pipeline.compose import Composer
from yanshu.pipeline.dispatch import Dispatcher
from yanshu.pipeline.explain import Explainer
from yanshu.pipeline.fleet import Fleet
from yanshu.pipeline.health import Health, Part
from yanshu.pipeline.health_counts import Counting
from yanshu.pipeline.inbound import InboundStage
from yanshu.pipeline.incidents import IncidentWatch
from yanshu.pipeline.learn import Learner
from yanshu.pipeline.lookups import Lookups
from yanshu.pipeline.notify import Notifier
from yanshu.pipeline.numbers import Numbers
from yanshu.pipeline.outcome import Outcome
from yanshu.pipeline.progress import Waits
from yanshu.pipeline.reroute import Rerouter
from yanshu.pipeline.resend import Reach
from yanshu.pipeline.route import Router
from yanshu.pipeline.schedule import Schedule
from yanshu.pipeline.senders import Senders
from yanshu.pipeline.sweep import Sweeper
from yanshu.pipeline.watch import StoreWatch
from yanshu.ports.carrier import Carrier
from yanshu.ports.store import Store
from yanshu.rules.accounts.bootstrap import bootstrap, check_seal
from yanshu.rules.accounts.keys import SECRET_BYTES, mint_secret
from yanshu.rules.accounts.sealing import Sealer
from yanshu.rules.contacts.lessons import Policy
from yanshu.rules.contacts.prefixes import open_prefixes
from yanshu.rules.routing.codes import shipped_codes
from yanshu.rules.routing.limits import Limits, read_limits
from yanshu.rules.webhooks.targets import Allowance, parse_allow
from yanshu.runtime.clock import SystemClock
from yanshu.runtime.lockfile import LockFile
from yanshu.runtime.logs import get_logger
from yanshu.runtime.metrics import Metrics
from yanshu.runtime.supervise import Service, Supervisor
from yanshu.settings import Settings, SettingsError, read_roles

_LOCK_FILE = "serving.lock"


class Stages(Struct, frozen=True):
    """The pipeline of one process, wired."""

    router: Router
    accepter: Accepter
    batches: Batches
    schedule: Schedule
    explainer: Explainer
    outcome: Outcome
    fleet: Fleet
    health: Health
    sweeper: Sweeper
    runner: BatchRunner
    notifier: Notifier
    numbers: Numbers
    lookups: Lookups | None


class Platform:
    """One process of the platform: which of the stages run in it is a matter of its roles."""

    def __init__(self, settings: Settings, sandbox: Sandbox | None = None) -> None:
        self.settings = settings
        self.sandbox = sandbox
        self.roles = read_roles(settings.roles)
        self.log = get_logger("platform")
        self.clock = SystemClock()
        self.node_id = _node_id(settings, self.clock)
        self.metrics = Metrics(__version__, self.node_id)
        self.store: Store = open_store(settings, self.clock)
        self.sealer = Sealer.open(settings)
        self.prefixes = open_prefixes(settings)
        self.register = open_register(settings)
        self._lock = LockFile(Path(settings.data_dir) / _LOCK_FILE)
        self.codebook = Codebook(self.store, shipped_codes())
        self.allow = read_allow(settings)
        self.poster = AiohttpPoster(self.allow, self.clock)
        self.limits = read_health(settings)
        self.supervisor = Supervisor(self.metrics)
        self.gate = Gate(self.store, self.clock, settings)
        self.listener = Listener(settings.drain_seconds)
        self.callbacks = Callbacks(settings, self.clock, self.sealer)
        self.stages = self._wire()
        self.reception = Reception(self.store, self.clock, self.stages.accepter, self.metrics)
        self.admin_key: str | None = None

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.listener.url

    async def start(self) -> None:
        """Schema, first key, stages, and the door last: nothing is accepted before everything behind it runs."""
        if not self.settings.database_url:
            self._lock.take()
        for step in await migrated(self.store, self.settings, self._waiting):
            self.log.info("schema changed", step=step)
        secret = mint_secret(self.clock.entropy(SECRET_BYTES), livemode=True)
        if await patiently(lambda: bootstrap(self.store, self.clock, self.sealer, secret), self._waiting):
            self.admin_key = secret
        await check_seal(self.store, self.sealer)
        for service in self._services():
            await self.supervisor.start(service)

    def _waiting(self, why: str) -> None:
        self.log.warning("waiting for the store", error=why)

    async def stop(self) -> None:
        """Close the door, let what is under way end, then let go of links, webhooks and store, each within its budget."""
        await self.supervisor.stop()
        self.listener.close()
        self.callbacks.listener.close()
        await self.poster.close()
        if self.register is not None:
            await self.register.lookup.close()
        await self.store.close()
        self._lock.release()

    def _services(self) -> list[Service]:
        """Everything that runs here, in the order of starting."""
        stages, budget = self.stages, float(self.settings.drain_seconds)
        services = [
            Service(name="loop", run=self.supervisor.watch_loop),
            Service(name="store", run=StoreWatch(self.store, self.clock).run),
            Service(name="router", start=self._load_routes, run=stages.router.run),
            Service(name="codes", start=self._load_codes, run=self.codebook.run),
            Service(name="numbers", start=self._load_lessons, run=stages.numbers.run),
            Service(name="outcome", run=stages.outcome.run, stop=stages.outcome.settled, budget_seconds=budget),
            Service(name="health", run=stages.health.run),
            Service(name="accept", run=stages.accepter.run, stop=stages.accepter.settled, budget_seconds=budget),
        ]
        if "api" in self.roles and self.settings.callbacks_listen:
            # Before the links: carriers report at once, and to a URL that is known when a link is made.
            door, start = self.callbacks.listener, self._listen_to_carriers
            services.append(Service(name="callbacks", start=start, run=door.serve, stop=door.drain, budget_seconds=budget))
        if stages.lookups is not None:
            services.append(Service(name="lookups", run=stages.lookups.run))
        if "worker" in self.roles:
            interval = self.settings.sweep_interval_ms / 1000
            services += [
                Service(name="sweep", run=lambda: stages.sweeper.run(interval)),
                Service(name="batches", run=stages.runner.run),
                Service(name="incidents", run=IncidentWatch(self.store, self.clock, stages.router, self.metrics, stages.health.doubts).run),
                *self.reception.worker_services(),
                Service(name="notify", run=stages.notifier.run, stop=lambda: stages.notifier.stop(budget), budget_seconds=budget + 1),
            ]
        if "dispatcher" in self.roles:
            stop = self._stop_links
            services.append(Service(name="fleet", run=lambda: stages.fleet.run(self.supervisor), stop=stop, budget_seconds=budget + 5))
        if "api" in self.roles:
            services.append(Service(name="gate", run=self.gate.run, stop=self.gate.flush))
            services += self.reception.door_services(self.settings, self.sealer, self.node_id, self.supervisor)
            door = self.listener
            services.append(Service(name="http", start=self._listen, run=door.serve, stop=door.drain, budget_seconds=budget))
        return services

    def _wire(self) -> Stages:
        """Put the stages together."""
        store, clock, settings = self.store, self.clock, self.settings
        waits = Waits(
            receipt=timedelta(seconds=settings.receipt_wait_seconds),
            unknown=timedelta(seconds=settings.unknown_wait_seconds),
            unknown_resend=timedelta(seconds=settings.unknown_resend_seconds),
            partial=timedelta(seconds=settings.partial_grace_seconds),
        )
        numbers = Numbers(store, clock, self.prefixes, read_policy(settings), self.metrics)
        lookups = self._attach_register(numbers)
        router = Router(store, self.prefixes)
        accepter = Accepter(store, clock, Composer(clock, Checker(), router, numbers), self.metrics, settings.accept_backlog)
        inbound = InboundStage(clock, router)
        causes = Causes(lambda: self.codebook.codes, self.prefixes, router)
        outcome = Outcome(store, clock, inbound, self.metrics, waits, causes)
        outcome.reach = Reach(fitness=router.fitness)
        outcome.attach(Learner(numbers, router))
        dispatcher = Dispatcher(store, clock, outcome, Senders(router), self.metrics, settings.lease_seconds)
        fleet = Fleet(self.node_id, store, clock, router, dispatcher, self._make_carrier)
        fleet.attach(outcome)
        batches = Batches(store, clock, accepter)
        health = self._wire_health(router, outcome)
        rerouter = Rerouter(store, clock, router, waits, settings.failover_after_seconds)
        rerouter.stopped = lambda: health.stopped
        return Stages(
            router=router,
            accepter=accepter,
            batches=batches,
            schedule=Schedule(store, clock, waits),
            explainer=Explainer(store, clock, router, causes, numbers),
            outcome=outcome,
            fleet=fleet,
            health=health,
            sweeper=Sweeper(store, clock, outcome, inbound, rerouter),
            runner=BatchRunner(store, clock, batches, waits),
            notifier=Notifier(store, self.poster, clock, self.sealer.open_text, show_object, self.metrics),
            numbers=numbers,
            lookups=lookups,
        )

    def _wire_health(self, router: Router, outcome: Outcome) -> Health:
        """Have what is stored counted, and what moves handed to routing."""
        counting = Counting(self.node_id, self.limits, self.prefixes)
        outcome.on_stored = counting.stored
        part = Part("worker" in self.roles, self.roles != {"dispatcher"}, self.limits, self.settings.failover_after_seconds)
        return Health(self.store, self.clock, router, counting, part, self.metrics)

    def _make_carrier(self, connector: Connector, slot: int) -> Carrier:
        """Build the adapter of one link."""
        password = self.sealer.open_text(connector.secret)
        return make_carrier(Making(connector, password, self.stages.outcome, self.clock, slot, self.callbacks.urls(connector)))

    async def _load_routes(self) -> None:
        await patiently(self.stages.router.refresh, self._waiting)

    def _attach_register(self, numbers: Numbers) -> Lookups | None:
        """Have the register asked that a setting names, if there is one."""
        if self.register is None:
            return None
        lookups = Lookups(self.register.lookup, self.register.plan, self.clock, self.metrics)
        numbers.attach(lookups)
        return lookups

    async def _load_lessons(self) -> None:
        await patiently(self.stages.numbers.refresh, self._waiting)

    async def _load_codes(self) -> None:
        await patiently(self.codebook.refresh, self._waiting)

    async def _listen(self) -> None:
        """Bind the port and make the application before anything is said about them."""
        host, port = self.settings.listen_host, self.settings.listen_port
        self.listener.open(host, port, "choose another YANSHU_LISTEN_PORT (--port) or YANSHU_LISTEN_HOST (--host)")
        self.listener.offer(build_app(self._edge(), self.gate))

    async def _listen_to_carriers(self) -> None:
        self.callbacks.open(self.stages.router, self.stages.outcome, self.metrics)

    def _edge(self) -> Services:
        """What the HTTP API works with."""
        stages = self.stages
        return Services(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            metrics=self.metrics,
            sealer=self.sealer,
            router=stages.router,
            health=stages.health,
            accepter=stages.accepter,
            batches=stages.batches,
            schedule=stages.schedule,
            explainer=stages.explainer,
            notifier=stages.notifier,
            numbers=stages.numbers,
            codebook=self.codebook,
            webhook_allow=self.allow,
            check_connector=check_connector,
            callback_urls=self.callbacks.urls,
            public_url=self.settings.public_url.rstrip("/") or self.url,
            sandbox=self.sandbox,
        )

    async def _stop_links(self) -> None:
        """Let answers that are on their way come in, and store them."""
        await self.stages.fleet.stop(self.settings.drain_seconds)
        await self.stages.outcome.settled()


def read_allow(settings: Settings) -> Allowance:
    """Return which places webhooks may reach although they are not public."""
    try:
        return parse_allow(settings.webhook_allow)
    except ValueError as error:
        raise SettingsError(f"YANSHU_WEBHOOK_ALLOW: {error}") from error


def read_policy(settings: Settings) -> Policy:
    """Return when receipts prove something about a number, and for how long."""
    return Policy(
        receipts=settings.dead_receipts,
        strikes=settings.dead_strikes,
        spread=timedelta(hours=settings.dead_spread_hours),
        window=timedelta(days=settings.dead_window_days),
        probe=timedelta(days=settings.dead_probe_days),
        trust=timedelta(days=settings.learned_operator_days),
    )


def read_health(settings: Settings) -> Limits:
    """Return by which limits connectors are judged."""
    try:
        return read_limits(settings.health_limits)
    except ValueError as error:
        raise SettingsError(f"YANSHU_HEALTH_LIMITS: {error}") from error


def _node_id(settings: Settings, clock: SystemClock) -> str:
    """Return this process's name in leases.

    An embedded store has one process, whose links a restart may take back at once; processes that share a PostgreSQL
    must never be taken for each other.
    """
    if not settings.database_url:
        return "node_embedded"
    return ids.make_id(ids.NODE, clock.now(), clock.entropy(ids.ENTROPY_BYTES))
