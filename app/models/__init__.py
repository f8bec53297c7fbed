"""Tables and the rules of a single object."""

from app.models.audit import ActorKind, AuditEntry
from app.models.base import Base
from app.models.budget import CallBudget, CallPace, ReconciledDay
from app.models.callback import Callback
from app.models.case import CaseKind, CaseResolution, CaseStatus, MoneyCase
from app.models.checkin import CheckIn, Direction, ScanReason, ScanResult
from app.models.door import Device, DeviceRole, DoorSettings, Gate
from app.models.eticket import ETicket, ReplacedSeat
from app.models.export import Export, ExportFormat, ExportKind, ExportPart, ExportStatus
from app.models.fair_door import FairDoor, FairDoorPlace, FairDoorStep
from app.models.inspection import Inspection
from app.models.job import Job, JobStatus, WorkerHeartbeat
from app.models.mail import Mail, MailRequest
from app.models.order import ORDER_TRANSITIONS, Order, OrderItem, OrderStatus
from app.models.page_view import PageView
from app.models.partner import ApiKey, IdempotencyKey
from app.models.past_invoice import PastInvoice
from app.models.payment import PAYMENT_TRANSITIONS, Payment, PaymentStatus
from app.models.quota import Quota
from app.models.receipt import Receipt, ReceiptCounter, ReceiptKind
from app.models.reconciliation import Reconciliation, ReconciliationLine, Verdict
from app.models.refund import (
    REFUND_TRANSITIONS,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
)
from app.models.signing_key import SigningKey
from app.models.staff import Attempt, Invitation, RecoveryCode, Role, Staff, StaffSession
from app.models.ticket import SaleStatus, Ticket, TicketStock
from app.models.user import User
from app.models.voucher import Voucher, VoucherEffect, VoucherUse, voucher_tickets

__all__ = [
    "ORDER_TRANSITIONS",
    "PAYMENT_TRANSITIONS",
    "REFUND_TRANSITIONS",
    "ActorKind",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "Base",
    "CallBudget",
    "CallPace",
    "Callback",
    "CaseKind",
    "CaseResolution",
    "CaseStatus",
    "CheckIn",
    "Device",
    "DeviceRole",
    "Direction",
    "DoorSettings",
    "ETicket",
    "Export",
    "ExportFormat",
    "ExportKind",
    "ExportPart",
    "ExportStatus",
    "FairDoor",
    "FairDoorPlace",
    "FairDoorStep",
    "Gate",
    "IdempotencyKey",
    "Inspection",
    "Invitation",
    "Job",
    "JobStatus",
    "Mail",
    "MailRequest",
    "MoneyCase",
    "Order",
    "OrderItem",
    "OrderStatus",
    "PageView",
    "PastInvoice",
    "Payment",
    "PaymentStatus",
    "Quota",
    "Receipt",
    "ReceiptCounter",
    "ReceiptKind",
    "ReconciledDay",
    "Reconciliation",
    "ReconciliationLine",
    "RecoveryCode",
    "Refund",
    "RefundReason",
    "RefundStatus",
    "RefundWay",
    "ReplacedSeat",
    "Role",
    "SaleStatus",
    "ScanReason",
    "ScanResult",
    "SigningKey",
    "Staff",
    "StaffSession",
    "Ticket",
    "TicketStock",
    "User",
    "Verdict",
    "Voucher",
    "VoucherEffect",
    "VoucherUse",
    "WorkerHeartbeat",
    "voucher_tickets",
]
