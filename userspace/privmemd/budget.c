// SPDX-License-Identifier: LGPL-2.1-or-later
#include "budget.h"

/**
 * budget_is_left() - earn what has passed; is there anything to spend?
 * @now_usec: of a clock that does not go back
 */
bool budget_is_left(struct budget *budget, uint64_t now_usec)
{
	uint64_t passed = now_usec - budget->earned_until_usec;

	if (budget->earned_until_usec == 0 || passed / BUDGET_SHARE >= 2 * BUDGET_MAX_USEC)
		budget->left_usec = BUDGET_MAX_USEC;
	else
		budget->left_usec += passed / BUDGET_SHARE;
	if (budget->left_usec > BUDGET_MAX_USEC)
		budget->left_usec = BUDGET_MAX_USEC;
	budget->earned_until_usec = now_usec;
	return budget->left_usec > 0;
}

/**
 * budget_spend() - work was done; the last piece may leave a debt, of at most as much as is earned
 */
void budget_spend(struct budget *budget, uint64_t usec)
{
	budget->left_usec -= usec < BUDGET_MAX_USEC ? (int64_t)usec : BUDGET_MAX_USEC;
}
