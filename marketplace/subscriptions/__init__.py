"""The life of what is bought for a term: subscriptions, their histories in segments, and changes that wait.

Orders and the daily renewal call its operations; the close reads its histories. It must not know orders or statements.
"""
