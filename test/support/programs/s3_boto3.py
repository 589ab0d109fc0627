"""A client of S3 by boto3. Arguments: the origin of the server, the id and the secret of the key.
Prints what each call returned as one JSON value."""

import hashlib
import io
import json
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key_id, secret = sys.argv[1:]
BUCKET = "bucket"
NAME = "a folder/ümlaut & more(1).bin"
LARGE = b"a" * (5 * 1024 * 1024) + b"the rest"


def client_with(secret_key):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret_key,
        region_name="eu-central-1",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
        ),
    )


def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "no error"


def content(name, **rest):
    body = client.get_object(Bucket=BUCKET, Key=name, **rest)["Body"].read()
    return hashlib.sha256(body).hexdigest()


client = client_with(secret)
client.create_bucket(Bucket=BUCKET)
client.put_object(
    Bucket=BUCKET, Key=NAME, Body=b"small content", Metadata={"purpose": "two  blanks"}
)
# Parts of 5 MiB, several at a time.
client.upload_fileobj(
    io.BytesIO(LARGE),
    BUCKET,
    "large",
    Config=TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024),
)
client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": NAME})
presigned = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": NAME})
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(presigned) as response:
    by_address = response.read().decode()
listed = client.list_objects_v2(Bucket=BUCKET)["Contents"]

print(
    json.dumps(
        {
            "small": content(NAME),
            "range": content(NAME, Range="bytes=2-5"),
            "isLarge": content("large") == hashlib.sha256(LARGE).hexdigest(),
            "copy": content("copy"),
            "length": client.head_object(Bucket=BUCKET, Key="large")["ContentLength"],
            "presignedGet": by_address,
            "listed": [f"{each['Key']} {each['Size']} {each['ETag']}" for each in listed],
            "missing": code_of(lambda: client.get_object(Bucket=BUCKET, Key="missing")),
            "wrongKey": code_of(lambda: client_with("wrong").get_object(Bucket=BUCKET, Key=NAME)),
            "deleted": client.delete_object(Bucket=BUCKET, Key=NAME)["ResponseMetadata"]["HTTPStatusCode"],
        }
    )
)
