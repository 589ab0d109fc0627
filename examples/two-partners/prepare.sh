#!/bin/sh
# Makes the secrets of the partners and the tokens of the applications, and with them directory/relay.yaml and .env.
set -eu
umask 077
mkdir -p directory tokens

for partner in payments shipping; do
  openssl rand -base64 32 > directory/$partner.secret
done
for application in orders reports; do
  openssl rand -base64 32 | tr -d '\n' > tokens/$application
done

digest() {
  sha256sum < tokens/"$1" | cut -d ' ' -f 1
}
sed -e "s/SHA256_OF_ORDERS_TOKEN/$(digest orders)/" -e "s/SHA256_OF_REPORTS_TOKEN/$(digest reports)/" \
  relay.yaml > directory/relay.yaml

cat > .env << EOF
RELAY_USER=$(id -u):$(id -g)
PAYMENTS_SECRET=$(cat directory/payments.secret)
SHIPPING_SECRET=$(cat directory/shipping.secret)
UNUSED_TOKEN=$(openssl rand -base64 32)
EOF
