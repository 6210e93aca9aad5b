"""The ways out of the house: mail, SMS, push."""
