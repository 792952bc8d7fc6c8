"""The conformance suite every store must pass.

Inherit in a test module whose fixtures give `clock` (a `FakeClock`), `store` (migrated, empty) and `open_another` (opens one
more store on the same database, as another process would):

```
class TestMyStore(StoreSuite):
    pass
```
"""

from yanshu.testing.stores.binds import BindSuite
from yanshu.testing.stores.codes import CodeSuite
from yanshu.testing.stores.health import HealthSuite
from yanshu.testing.stores.history import HistorySuite
from yanshu.testing.stores.incidents import IncidentSuite
from yanshu.testing.stores.lessons import LessonSuite
from yanshu.testing.stores.messages import MessageSuite
from yanshu.testing.stores.queue import QueueSuite
from yanshu.testing.stores.records import RecordSuite
from yanshu.testing.stores.surroundings import SurroundingSuite
from yanshu.testing.stores.transactions import TransactionSuite
from yanshu.testing.stores.webhooks import WebhookSuite


class StoreSuite(
    MessageSuite, QueueSuite, HistorySuite, RecordSuite, LessonSuite, CodeSuite, SurroundingSuite, WebhookSuite, BindSuite,
    HealthSuite, IncidentSuite, TransactionSuite,
):  # fmt: skip
    """Every method of `ports.store`, and what holds between transactions."""
