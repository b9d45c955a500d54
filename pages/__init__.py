"""One script a page. Streamlit runs them; nothing may import them."""
