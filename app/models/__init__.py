"""Tables and the rules of a single object."""

from app.models.base import Base
from app.models.callback import Callback
from app.models.checkin import CheckIn
from app.models.eticket import ETicket
from app.models.job import Job, JobStatus, WorkerHeartbeat
from app.models.mail import Mail
from app.models.order import ORDER_TRANSITIONS, Order, OrderItem, OrderStatus
from app.models.partner import ApiKey, IdempotencyKey
from app.models.payment import PAYMENT_TRANSITIONS, Payment, PaymentStatus
from app.models.staff import Role, Staff
from app.models.ticket import SaleStatus, Ticket, TicketStock
from app.models.user import User

__all__ = [
    "ORDER_TRANSITIONS",
    "PAYMENT_TRANSITIONS",
    "ApiKey",
    "Base",
    "Callback",
    "CheckIn",
    "ETicket",
    "IdempotencyKey",
    "Job",
    "JobStatus",
    "Mail",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Payment",
    "PaymentStatus",
    "Role",
    "SaleStatus",
    "Staff",
    "Ticket",
    "TicketStock",
    "User",
    "WorkerHeartbeat",
]
