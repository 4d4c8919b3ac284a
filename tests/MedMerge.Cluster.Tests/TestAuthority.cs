using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MedMerge.Cluster.Tests;

/// <summary>A certificate authority for one test, and folders with certificates of it.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset Until = DateTimeOffset.UtcNow.AddDays(1);
    private readonly List<string> _folders = [];
    private readonly X509Certificate2 _certificate;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority of a test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _certificate = request.CreateSelfSigned(From, Until);
    }

    /// <summary>A folder with <c>tls.crt</c>, <c>tls.key</c> and <c>ca.crt</c>.</summary>
    public string Issue()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-tls-").FullName;
        _folders.Add(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a process of a test", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(_certificate, From, Until, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "ca.crt"), _certificate.ExportCertificatePem());
        return folder;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        foreach (var folder in _folders) Directory.Delete(folder, recursive: true);
    }
}
