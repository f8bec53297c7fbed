"""Tables and the rules of a single object."""

from app.models.audit import ActorKind, AuditEntry
from app.models.balance import BalanceCorrection, BalanceReading, CorrectionKind, Withdrawal
from app.models.base import Base
from app.models.budget import CallBudget, CallPace, ReconciledDay
from app.models.callback import Callback
from app.models.case import CaseKind, CaseResolution, CaseStatus, MoneyCase
from app.models.checkin import CheckIn, Direction, ScanReason, ScanResult
from app.models.day_close import DayClose
from app.models.door import Device, DeviceRole, DoorSettings, Gate
from app.models.eticket import ETicket, ReplacedSeat
from app.models.export import Export, ExportFormat, ExportKind, ExportPart, ExportStatus
from app.models.fair_door import FairDoor, FairDoorPlace, FairDoorStep
from app.models.inbox import InboxNote, Source
from app.models.inspection import Inspection
from app.models.invoice_reading import InvoiceReading
from app.models.job import Job, JobStatus, WorkerHeartbeat
from app.models.ledger import (
    Account,
    LedgerEntry,
    LedgerMark,
    LedgerPosting,
    LedgerState,
    LedgerSum,
    Movement,
)
from app.models.mail import Mail, MailRequest
from app.models.message import Message, MessageRecipient, MessageStatus, RecipientStatus
from app.models.order import ORDER_TRANSITIONS, Order, OrderItem, OrderStatus, UsedVoucher
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
from app.models.settlement import Transaction, TransactionReading
from app.models.signing_key import SigningKey
from app.models.staff import Attempt, Invitation, RecoveryCode, Role, Staff, StaffSession
from app.models.ticket import SaleStatus, Ticket, TicketStock
from app.models.user import User
from app.models.voucher import Voucher, VoucherEffect, VoucherUse, voucher_tickets

__all__ = [
    "ORDER_TRANSITIONS",
    "PAYMENT_TRANSITIONS",
    "REFUND_TRANSITIONS",
    "Account",
    "ActorKind",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "BalanceCorrection",
    "BalanceReading",
    "Base",
    "CallBudget",
    "CallPace",
    "Callback",
    "CaseKind",
    "CaseResolution",
    "CaseStatus",
    "CheckIn",
    "CorrectionKind",
    "DayClose",
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
    "InboxNote",
    "Inspection",
    "Invitation",
    "InvoiceReading",
    "Job",
    "JobStatus",
    "LedgerEntry",
    "LedgerMark",
    "LedgerPosting",
    "LedgerState",
    "LedgerSum",
    "Mail",
    "MailRequest",
    "Message",
    "MessageRecipient",
    "MessageStatus",
    "MoneyCase",
    "Movement",
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
    "RecipientStatus",
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
    "Source",
    "Staff",
    "StaffSession",
    "Ticket",
    "TicketStock",
    "Transaction",
    "TransactionReading",
    "UsedVoucher",
    "User",
    "Verdict",
    "Voucher",
    "VoucherEffect",
    "VoucherUse",
    "Withdrawal",
    "WorkerHeartbeat",
    "voucher_tickets",
]
