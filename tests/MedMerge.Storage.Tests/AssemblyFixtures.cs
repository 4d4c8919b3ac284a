using MedMerge.Testing;

[assembly: AssemblyFixture(typeof(AzuriteServer))]
