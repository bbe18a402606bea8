/** What the clients of 2013 send to `/environment` and to `/app`: the label `UTF8`, `environement`, a Windows path. */
export const SERVLET_SAMPLE = `<?xml version="1.0" encoding="UTF8"?>
<paas_application_manifest name="ServletSampleApplicationManifest">
<description>This manifest describes a Sample Servlet.</description>
	<paas_application name="ServletSampleApplication"  environement="JavaWebEnv">
		<description>Sample Servlet application description.</description>
		<paas_application_version name="version1.0" label="1.0">
			<paas_application_deployable name="SampleServlet.war" content_type="artifact" location="C:\\Users\\sellami\\Desktop\\deployable" multitenancy_level="SharedInstance"/>
			<paas_application_version_instance name="Instance1" initial_state="1" default_instance="true"/>
		</paas_application_version>
	</paas_application>
	<paas_environment name="JavaWebEnv" template="TomcatEnvTemp">			
		<paas_environment_template name="TomcatEnvTemp" memory="65">
  		  <description>TomcatServerEnvironmentTemplate</description>
		  <paas_environment_node content_type="container" name="tomcat" version="" provider="CF"/>
		</paas_environment_template>
	</paas_environment>
</paas_application_manifest>
`;

/** What the web form of 2012 posts: a comment before the declaration, `xmlns=""`, the misspelt dates. */
export const GENERATION_16_ENVIRONMENT = `<!--
Licensed somehow
-->
<?xml version="1.0" encoding="UTF8"?>
<paas_manifest name="ServletSampleApplicationManifest" xmlns="">
<paas_description></paas_description>
	<paas_application>
		<paas_environment name="JavaWebEnv" date_created="2012-10-10" date_uptaded="2012-10-10" description="JavaWebApplicationsEnv" config_template="TomcatEnvTemp" provider="CF"/>			
		<paas_configuration_template name="TomcatEnvTemp" date_created="2012-10-10" date_uptaded="2012-10-10" description="TomcatServerEnvironmentTemplate">
			<paas_node content_type="container" name="JBOSSAS_7" version="6.0.35" provider="CF"/>
			<paas_node content_type="database" name="MYSQL_51" version="6.0.35" provider="CF"/>
			<paas_relation>
			</paas_relation>	
		</paas_configuration_template>
	</paas_application>
</paas_manifest>`;

export const GENERATION_16_APPLICATION = `<?xml version="1.0" encoding="UTF8"?>
<paas_manifest name="ServletSampleApplicationManifest" xmlns="">
	<paas_description>This manifest describes a simple display Servlet to deploy on CF.</paas_description> 
	<paas_application name="ServletSampleApplication" date_created="2012-10-10" description="ServletSampleApplication" environement="JavaWebEnv">
		<paas_version label="1.0" date_uptaded="2012-10-10" description="Version1.0">
			<paas_deployable name="SampleServlet.war" content_type="artifact" location="E:\\Workshop\\deployable" multitenancy_level="SharedInstance"/>
			<paas_version_instance/>
		</paas_version>
	</paas_application>
</paas_manifest>`;
