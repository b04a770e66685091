"""Lists of parties and terms for the wholesaler's pages: statements to filter, sort and page."""

from typing import Any

from sqlalchemy import Select, func, select

from resellers.models import AccountMapping, Customer, PriceRule, PriceRuleScope, Reseller, VendorAccount


def reseller_list() -> Select[*tuple[Any, ...]]:
    """Give resellers with the number of their customers."""
    customers = select(func.count()).where(Customer.reseller_id == Reseller.id).scalar_subquery()
    return select(
        Reseller.public_id.label("id"),
        Reseller.reference,
        Reseller.legal_name,
        Reseller.country,
        Reseller.currency,
        Reseller.billing_mode,
        Reseller.partner_id,
        Reseller.vat_number,
        Reseller.registration_number,
        Reseller.email,
        Reseller.created_at,
        customers.label("customers"),
    )


def customer_list() -> Select[*tuple[Any, ...]]:
    """Give customers with their reseller."""
    return select(
        Customer.public_id.label("id"),
        Customer.reference,
        Customer.legal_name,
        Reseller.reference.label("reseller"),
        Customer.country,
        Customer.currency,
        Customer.vat_number,
        Customer.registration_number,
        Customer.email,
        Customer.created_at,
    ).join(Reseller, Reseller.id == Customer.reseller_id)


def mapping_list() -> Select[*tuple[Any, ...]]:
    """Give mappings of vendor accounts to customers."""
    return (
        select(
            AccountMapping.public_id.label("id"),
            VendorAccount.vendor,
            VendorAccount.account,
            Customer.reference.label("customer"),
            Customer.legal_name,
            AccountMapping.valid_from,
            AccountMapping.valid_until,
        )
        .join(VendorAccount, VendorAccount.id == AccountMapping.vendor_account_id)
        .join(Customer, Customer.id == AccountMapping.customer_id)
    )


def rule_list() -> Select[*tuple[Any, ...]]:
    """Give price rules with their scope by references."""
    return (
        select(
            PriceRule.public_id.label("id"),
            PriceRuleScope.hop,
            func.coalesce(Reseller.reference, "").label("reseller"),
            func.coalesce(Customer.reference, "").label("customer"),
            PriceRuleScope.subscription,
            PriceRuleScope.vendor,
            PriceRuleScope.product,
            PriceRuleScope.sku,
            PriceRule.basis,
            PriceRule.percent,
            PriceRule.unit_price,
            PriceRule.currency,
            PriceRule.valid_from,
            PriceRule.valid_until,
        )
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Reseller, Reseller.id == PriceRuleScope.reseller_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
    )
