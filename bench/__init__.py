# SPDX-License-Identifier: EUPL-1.2
"""What Herse costs, beside nginx, in one run. Measuring only: the gateway runs as it always does."""
