"""All rounds against the server of the environment. The argument is a scratch folder."""

import sys
import time

import boto3

from attacks import Attacks
from exchange import Exchange
from raw import Raw
from sides import Amazons, Bucket, Ours, Rounds, kms_for_judge

BUCKET = "exchange"


def main():
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    kms = boto3.client("kms")
    keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    bucket, ours, amazons = Bucket(BUCKET), Ours(BUCKET), Amazons(BUCKET, keys)
    wrap, other = (f"kms:{key}" for key in keys)
    started, rounds = time.monotonic(), Rounds()
    Exchange(bucket, ours, amazons, kms_for_judge(keys[0]), wrap).run(rounds)
    Attacks(bucket, ours, amazons, wrap, other).run(rounds)
    Raw(bucket, ours, sys.argv[1]).run(rounds)
    print(f"{time.monotonic() - started:.0f} seconds")
    if rounds.deviations:
        sys.exit(f"{rounds.count} rounds, {len(rounds.deviations)} deviate")
    print(f"{rounds.count} rounds, all as they must be")


main()
