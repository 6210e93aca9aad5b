"""What people are told: mail, SMS, push and in-app notices about their trips and their accounts."""
