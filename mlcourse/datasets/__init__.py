"""The course's data: real files with their cards, and simulators whose truth is known."""

from mlcourse.datasets.ad_clicks import load_ad_clicks
from mlcourse.datasets.ames import load_ames_housing
from mlcourse.datasets.arbitrary_zone import load_arbitrary_zone
from mlcourse.datasets.attachments import attach_files
from mlcourse.datasets.california import load_california_blocks
from mlcourse.datasets.card_fraud import CardFraud, card_fraud_features, load_card_fraud
from mlcourse.datasets.cdnow import load_cdnow
from mlcourse.datasets.debtags import PROGRAM_TOPICS, load_debian_programs
from mlcourse.datasets.equipment import FAILURE_CAUSES, load_equipment_failures
from mlcourse.datasets.fashion import FASHION_KINDS, load_fashion_mnist
from mlcourse.datasets.files import Card, DataError, card
from mlcourse.datasets.flights import load_nyc_arrivals, load_nyc_flights, load_nyc_weather
from mlcourse.datasets.friedman import load_friedman
from mlcourse.datasets.glove import load_glove
from mlcourse.datasets.hidden_factors import SeasonalSales, load_seasonal_sales
from mlcourse.datasets.lending import load_lending_club
from mlcourse.datasets.newsgroups import load_newsgroup_posts
from mlcourse.datasets.photographs import PHOTOGRAPHS, load_photographs
from mlcourse.datasets.product_reviews import (
    BOUGHT_RATING,
    IMAGE_CHANNEL,
    TEXT_CHANNEL,
    Channel,
    best_accuracy,
    load_product_reviews,
    rating_log_odds,
)
from mlcourse.datasets.purchases import load_purchases, purchase_cells
from mlcourse.datasets.reviews import load_reviews
from mlcourse.datasets.smart_homes import load_smart_homes
from mlcourse.datasets.spam import load_spam_mail
from mlcourse.datasets.stocks import load_stocks
from mlcourse.datasets.telco_churn import load_telco_churn

__all__ = [
    "BOUGHT_RATING",
    "FAILURE_CAUSES",
    "FASHION_KINDS",
    "IMAGE_CHANNEL",
    "PHOTOGRAPHS",
    "PROGRAM_TOPICS",
    "TEXT_CHANNEL",
    "Card",
    "CardFraud",
    "Channel",
    "DataError",
    "SeasonalSales",
    "attach_files",
    "best_accuracy",
    "card",
    "card_fraud_features",
    "load_ad_clicks",
    "load_ames_housing",
    "load_arbitrary_zone",
    "load_california_blocks",
    "load_card_fraud",
    "load_cdnow",
    "load_debian_programs",
    "load_equipment_failures",
    "load_fashion_mnist",
    "load_friedman",
    "load_glove",
    "load_lending_club",
    "load_newsgroup_posts",
    "load_nyc_arrivals",
    "load_nyc_flights",
    "load_nyc_weather",
    "load_photographs",
    "load_product_reviews",
    "load_purchases",
    "load_reviews",
    "load_seasonal_sales",
    "load_smart_homes",
    "load_spam_mail",
    "load_stocks",
    "load_telco_churn",
    "purchase_cells",
    "rating_log_odds",
]
