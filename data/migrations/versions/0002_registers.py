"""The registers.

Revision ID: 0002
"""

from __future__ import annotations

from data.migrations import steps

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The columns as they were at this step; later steps add theirs.
_REGISTERS = {
    "initiatives": (
        "title:text hypothesis:text outcome:text baseline_metric:text minimum_improvement:number "
        "stage:text model_ids:text campaign_ids:text experiment_ids:text materiality:text eu_class:text "
        "eu_role:text frameworks:text layer:text sponsor:text contact:text started:text"
    ),
    "ownership": (
        "initiative:text accountable:text authority:text business_owner:text technical_owner:text "
        "data_steward:text validator:text delegate:text since:text review_days:int next_review:text"
    ),
    "decision_rights": "initiative:text activity:text scheme:text part:text who:text note:text",
    "decisions": (
        "initiative:text title:text decider:text frequency:text cost_of_error:number "
        "cost_of_delay:number automation:text oversight:text escalation:text fallback:text"
    ),
    "postures": (
        "decision:text metric:text comparator:text acceptable:number why:text oversight:text "
        "escalation:text fallback:text declared_by:text next_review:text"
    ),
    "evidence": (
        "title:text type:text basis:text file_name:text sha256:text bytes:int initiative:text owner:text "
        "expires:text"
    ),
    "appetites": "category:text appetite:int tolerance:int statement:text next_review:text",
    "risks": (
        "initiative:text title:text cause:text event:text consequence:text category:text "
        "inherent_likelihood:int inherent_impact:int current_likelihood:int current_impact:int "
        "residual_likelihood:int residual_impact:int target_likelihood:int target_impact:int "
        "treatment:text knowledge:text owner:text indicator_metric:text indicator_comparator:text "
        "indicator_threshold:number indicator_scope:text next_review:text"
    ),
    "controls": (
        "risk:text title:text type:text effectiveness:text evidence:text tested:text owner:text "
        "next_review:text"
    ),
    "acceptances": (
        "risk:text justification:text compensation:text expires:text tripwire_metric:text "
        "tripwire_comparator:text tripwire_threshold:number tripwire_scope:text"
    ),
    "exceptions": (
        "initiative:text rule:text justification:text compensation:text expires:text "
        "tripwire_metric:text tripwire_comparator:text tripwire_threshold:number tripwire_scope:text"
    ),
    "contracts": (
        "title:text contract_version:text status:text table_name:text owner:text purpose:text "
        "freshness_hours:number volume_min:number availability_percent:number document:text"
    ),
    "operability": (
        "initiative:text rollback_plan:text rollback_tested:text rollback_minutes:number runbook:text "
        "on_call:text latency_ms:number cost_budget:number card_details:text card_intended_use:text "
        "card_training_data:text card_evaluation:text card_limitations:text card_claims:text "
        "card_evidence:text owner:text next_review:text"
    ),
    "targets": (
        "metric:text comparator:text threshold:number scope:text min_n:int max_age_days:number "
        "valid_from:text valid_to:text initiative:text owner:text note:text"
    ),
    "check_ins": "target:text confidence:text comment:text",
}


def upgrade() -> None:
    steps.create_registers(_REGISTERS)


def downgrade() -> None:
    steps.drop_registers(_REGISTERS)
