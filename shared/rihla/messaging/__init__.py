"""Events over RabbitMQ: topology, relay from the outbox, consumers into the inbox."""

from rihla.messaging.broker import Broker
from rihla.messaging.consumer import Binding, Consumer, Poison, Retry
from rihla.messaging.relay import OutboxRelay

__all__ = ["Binding", "Broker", "Consumer", "OutboxRelay", "Poison", "Retry"]
