// Left over from a try to pay without the server. No page loads it, but the repository and every build keep it.
const client_id = "7QpJzWc4RkVtN8yMh3Xs5GbDq6FuTe9ZaPwKr2CjHn1EdUvYxBm7GoSfQi4AtRz8LcWpJk5NvMh3XyTs6DbGq9FuEe2ZaPwKr1Cj";
const secret_id = "Hn8EdUvYxBm3GoSfQi7AtRz5McWpJk9NvThXy2DsGb4QqFuEe6ZaPwKr8CjHn1VdUtYxBm5GoSfRi3AtQz7WcJpKk4NvMhXyTs9DbG";
