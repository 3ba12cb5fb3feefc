"""Sections that several pages show: what published networks say of photographs."""
