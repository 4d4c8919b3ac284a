namespace MedMerge.Grains.Benchmarks;

/// <summary>A receiver of webhooks.</summary>
public sealed class WebhookOptions
{
    private const string SecretPrefix = "whsec_";
    private const int MinSecretBytes = 24;
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Its http or https address. Default: none, nothing is sent.</summary>
    public string? Url { get; set; }

    /// <summary>The key of the signature: <c>whsec_</c> and at least 24 bytes in Base64.</summary>
    public string? Secret { get; set; }

    /// <summary>How long it may take to answer. Default: 10 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether there is one.</summary>
    public bool IsSet => !string.IsNullOrEmpty(Url);

    /// <summary>The bytes of the secret.</summary>
    internal byte[] Key => FindKey() ?? throw new InvalidOperationException("The secret was not checked.");

    /// <summary>Validates the options.</summary>
    /// <param name="name">The beginning of their variables.</param>
    internal void Check(string name)
    {
        if (!IsSet) return;
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new InputException($"{name}__{nameof(Url)} must be an http or https address.");
        if (FindKey() is not { Length: >= MinSecretBytes })
        {
            throw new InputException(
                $"{name}__{nameof(Secret)} must be '{SecretPrefix}' and at least {MinSecretBytes} bytes in Base64, " +
                "such as the output of: echo whsec_$(openssl rand -base64 32)");
        }
        if (Timeout <= TimeSpan.Zero || Timeout > MaxTimeout)
            throw new InputException($"{name}__{nameof(Timeout)} must be more than 0 and at most {MaxTimeout.TotalMinutes:0} minutes.");
    }

    private byte[]? FindKey()
    {
        if (Secret?.StartsWith(SecretPrefix, StringComparison.Ordinal) != true) return null;
        var text = Secret.AsSpan(SecretPrefix.Length);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64Chars(text, bytes, out var length) ? bytes[..length] : null;
    }
}
